"""`python -m bench.presets`: trains the presets once each, and writes what they reach beside them."""

import json

import click

from aeviz import data, files, results, training
from aeviz.errors import AevizError
from aeviz.jobs import hold_job
from aeviz.scores.images import psnr
from aeviz.training import presets
from bench.measure import temporary_runs

SEED = 0


def measure(data_name: str, name: str, epochs: int | None = None) -> presets.Measured:
    """Train one preset from the fixed seed, as `aeviz train` does, and judge its best weights; fewer epochs to try it.

    Raises:
        AevizError: it could not be trained to its end.
    """
    written = next(values for values in presets.read()[data_name] if values["name"] == name)
    recipe = next(preset.recipe for preset in presets.presets_for(data_name) if preset.name == name)
    settings = recipe.training if epochs is None else recipe.training.model_copy(update={"epochs": epochs})
    run = training.prepare(recipe.model_copy(update={"training": settings, "seed": SEED}))
    with hold_job(run) as worker:
        training.work(run, worker)
    resolved, val_psnr = run.config().resolved, run.psnr()
    test_psnr = psnr(float(results.errors(run, "test").mean()))
    if run.status().state != "done" or resolved is None or val_psnr is None or test_psnr is None:
        raise AevizError("the preset {name} has ended as {state}", name=name, state=run.status().state)
    return presets.Measured(
        test_psnr=round(test_psnr, 2),
        val_psnr=round(val_psnr, 2),
        seconds=round(run.metrics()[-1]["seconds"], 1),
        device=resolved.device_name,
        threads=resolved.threads,
        precision=resolved.precision,
        of=presets.fingerprint(written),
    )


def keep(data_name: str, name: str, measured: presets.Measured) -> None:
    """Write what was measured beside its preset."""
    written = presets.read()
    next(values for values in written[data_name] if values["name"] == name)["measured"] = measured.to_json()
    files.write_bytes(presets.PATH, (json.dumps(written, indent=1) + "\n").encode())


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[DATA[/PRESET]]...")
@click.option("--again", is_flag=True, help="Also those measured already.")
@click.option("--epochs", type=click.IntRange(min=1), help="Only try them, with so many epochs; nothing is written.")
def main(names: tuple[str, ...], again: bool, epochs: int | None) -> None:
    """Train the presets that have no figures yet: all, or those of the data sets or the presets named."""
    for data_name, listed in presets.read().items():
        if data_name == presets.OWN:
            continue  # nobody's images are here to train on
        for values in listed:
            name, full = values["name"], f"{data_name}/{values['name']}"
            is_asked = not names or data_name in names or full in names
            is_known = values["measured"] is not None and values["measured"]["of"] == presets.fingerprint(values)
            if not is_asked or (is_known and not again):
                continue
            if not data.DATASETS[data_name].is_ready():
                click.echo(f"{full}: left out, the set is not here (python -m aeviz data get {data_name})", err=True)
                continue
            with temporary_runs():
                found = measure(data_name, name, epochs)
            click.echo(f"{full}: {found.test_psnr:.2f} dB on test, {found.seconds:.0f} s, {found.precision}")
            if epochs is None:
                keep(data_name, name, found)


if __name__ == "__main__":
    main(prog_name="python -m bench.presets")

"""`python -m bench`: the benchmarks on a terminal, one after another."""

from collections.abc import Callable

import click

from aeviz.errors import AevizError

QUICK_IMAGES, QUICK_POINTS = 5_000, 1_000


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[training] [projection]")
@click.option("--quick", is_flag=True, help="A minute's look: fewer images and points, one epoch, one repeat.")
@click.option("--epochs", type=click.IntRange(min=1), default=2, show_default=True, help="Training: epochs a repeat.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True, help="How often each side runs.")
@click.option("--points", type=click.IntRange(min=200), default=5_000, show_default=True, help="Projection: codes.")
@click.option(
    "--threads", type=click.IntRange(min=1), help="For both sides.  [default: the cores less one, as aeviz trains]"
)
@click.option("--device", default="auto", show_default=True, help="Training: auto, cpu, cuda, cuda:N or mps.")
def main(
    names: tuple[str, ...], quick: bool, epochs: int, repeats: int, points: int, threads: int | None, device: str
) -> None:
    """Measure aeviz against its rivals: all benchmarks, or the named ones."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise click.UsageError(f"no benchmark is called {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    if quick:
        epochs, repeats, points = 1, 1, min(points, QUICK_POINTS)
    try:
        for name in names or BENCHMARKS:
            click.echo(BENCHMARKS[name](quick, epochs, repeats, points, threads, device) + "\n")
    except AevizError as error:
        raise click.ClickException(str(error)) from None


def _training(quick: bool, epochs: int, repeats: int, points: int, threads: int | None, device: str) -> str:
    from aeviz.models.device import resolve_device
    from aeviz.models.device import threads as own_threads
    from bench import training
    from bench.measure import Setup, choose_data, temporary_runs

    dataset = choose_data(QUICK_IMAGES if quick else None)
    setup = Setup(resolve_device(device), threads or own_threads(), repeats)
    with temporary_runs():
        found = training.compare(dataset, setup, list(training.BODIES), [128, 512], epochs, _say)
    return training.table(found, dataset, setup, epochs).markdown()


def _projection(quick: bool, epochs: int, repeats: int, points: int, threads: int | None, device: str) -> str:
    from aeviz.latent.tsne import TSNESettings
    from aeviz.models.device import threads as own_threads
    from bench import projection
    from bench.measure import Setup, choose_data, temporary_runs

    dataset = choose_data(QUICK_IMAGES if quick else None)
    # Both sides' t-SNE runs on the CPU, whatever else there is.
    setup, settings = Setup("cpu", threads or own_threads(), repeats), TSNESettings()
    _say("projection: training a network for its codes")
    with temporary_runs():
        codes, labels = projection.trained_codes(dataset, points, setup)
    _say(f"projection: mapping {len(codes):,} codes")
    return projection.table(projection.compare(codes, labels, setup, settings), dataset, setup, settings).markdown()


def _say(message: str) -> None:
    click.echo(message, err=True)


BENCHMARKS: dict[str, Callable[..., str]] = {"training": _training, "projection": _projection}

if __name__ == "__main__":
    main(prog_name="python -m bench")

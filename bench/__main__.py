"""`python -m bench`: the benchmarks on a terminal, one after another."""

from collections.abc import Callable
from typing import Any

import click

from aeviz.config import Settings
from aeviz.errors import AevizError

QUICK_IMAGES, QUICK_POINTS = 5_000, 1_000
WATCHED_TIMES = 10  # epochs as many as elsewhere, so that there is something to watch
PRECISIONS = ["auto", "float32", "bfloat16"]
BODIES = ["dense", "conv"]


class Options(Settings):
    """What was asked on the command line."""

    epochs: int
    repeats: int
    images: int | None
    streamed_images: int
    points: int
    map_points: tuple[int, ...]
    threads: int | None
    device: str
    precision: Any
    rival_precision: Any
    body: tuple[str, ...]
    page: str
    sessions: int
    thought: float
    seconds: float
    opened: int


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--quick", is_flag=True, help="A minute's look: fewer images and points, one epoch, one repeat.")
@click.option("--epochs", type=click.IntRange(min=1), default=2, show_default=True, help="Epochs a repeat.")
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True, help="How often each side runs.")
@click.option("--images", type=click.IntRange(min=100), help="Training images at most.  [default: all of the set]")
@click.option(
    "--streamed-images", type=click.IntRange(min=1000), default=200_000, show_default=True, help="Streaming: images."
)
@click.option("--points", type=click.IntRange(min=200), default=5_000, show_default=True, help="Projection: codes.")
@click.option(
    "--map-points", type=click.IntRange(min=1000), multiple=True, default=(10_000, 100_000, 300_000, 1_000_000),
    show_default=True, help="Map: dots; give it several times for several maps.",
)  # fmt: skip
@click.option(
    "--threads", type=click.IntRange(min=1), help="For all sides.  [default: the cores less one, as aeviz trains]"
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option(
    "--precision", type=click.Choice(PRECISIONS), default="auto", show_default=True,
    help="aeviz's; auto takes what it measures to be faster.",
)  # fmt: skip
@click.option(
    "--rival-precision", type=click.Choice(PRECISIONS[1:]), default="float32", show_default=True,
    help="The rivals', where they have a choice.",
)  # fmt: skip
@click.option(
    "--body", type=click.Choice(BODIES), multiple=True, default=BODIES, show_default=True,
    help="Training: networks; give it several times for several.",
)  # fmt: skip
@click.option("--page", default="map", show_default=True, help="Load: the page that is visited.")
@click.option("--sessions", type=click.IntRange(min=1), default=20, show_default=True, help="Load: visitors.")
@click.option("--thought", type=float, default=1.0, show_default=True, help="Load: seconds between two reruns.")
@click.option("--seconds", type=float, default=20.0, show_default=True, help="Load: how long, once all have come.")
@click.option(
    "--opened",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Load: sessions opened and closed, after.",
)
def main(names: tuple[str, ...], quick: bool, **asked: Any) -> None:
    """Measure aeviz: all benchmarks, or those named of training, projection, streaming, memory, watched, start, first_loss, decoding, map and load."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        raise click.UsageError(f"no benchmark is called {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    if quick:
        images = min(asked["images"] or QUICK_IMAGES, QUICK_IMAGES)
        asked |= {"epochs": 1, "repeats": 1, "images": images, "streamed_images": QUICK_IMAGES}
        asked |= {"points": min(asked["points"], QUICK_POINTS), "map_points": asked["map_points"][:1]}
    options = Options.parse(asked)
    try:
        for name in names or BENCHMARKS:
            click.echo(BENCHMARKS[name](options) + "\n")
    except AevizError as error:
        raise click.ClickException(str(error)) from None


def _setup(options: Options) -> Any:
    from aeviz.models.device import resolve_device
    from aeviz.models.device import threads as own_threads
    from bench.measure import Setup

    return Setup(
        device=resolve_device(options.device),
        threads=options.threads or own_threads(),
        repeats=options.repeats,
        precision=options.precision,
        rival_precision=options.rival_precision,
    )


def _training(options: Options) -> str:
    from bench import training
    from bench.measure import choose_data, temporary_runs

    dataset, setup = choose_data(options.images), _setup(options)
    with temporary_runs():
        found = training.compare(dataset, setup, list(options.body), [128, 512], options.epochs, _say)
    return training.table(found, dataset, setup, options.epochs).markdown()


def _projection(options: Options) -> str:
    from aeviz.latent.projections.tsne.tsne import TSNESettings
    from bench import projection
    from bench.measure import choose_data, temporary_runs

    # Both sides' t-SNE runs on the CPU, whatever else there is.
    dataset, settings = choose_data(options.images), TSNESettings()
    setup = _setup(options.model_copy(update={"device": "cpu"}))
    _say("projection: training a network for its codes")
    with temporary_runs():
        parts = projection.trained_codes(dataset, options.points, setup)
    _say(f"projection: mapping {len(parts)} times {len(parts[0].z):,} codes")
    return projection.table(projection.compare(parts, setup, settings), dataset, setup, settings).markdown()


def _streaming(options: Options) -> str:
    from bench import streaming

    setup, images = _setup(options), options.streamed_images
    found = streaming.compare(images, setup, options.epochs, _say)
    return streaming.table(found, images, setup, options.epochs).markdown()


def _memory(options: Options) -> str:
    from bench import at_rest, memory

    setup = _setup(options)
    _say("memory: a training in a process of its own")
    found = memory.table(memory.measure(setup, options.images), setup)
    return f"{found.markdown()}\n\n{at_rest.table(at_rest.measure(_say)).markdown()}"


def _start(options: Options) -> str:
    from bench import start

    return start.table(start.measure(options.repeats, _say)).markdown()


def _watched(options: Options) -> str:
    from bench import watched
    from bench.measure import whole_data

    dataset, setup, epochs = whole_data(options.images), _setup(options), WATCHED_TIMES * options.epochs
    return watched.table(watched.compare(dataset, setup, epochs, _say), dataset, setup, epochs).markdown()


def _first_loss(options: Options) -> str:
    from bench import first_loss

    return first_loss.table(first_loss.measure(first_loss.CLICKS, _say)).markdown()


def _decoding(options: Options) -> str:
    from bench import decoding

    return decoding.table(decoding.measure(options.repeats, _say)).markdown()


def _map(options: Options) -> str:
    from bench import map as maps

    found = maps.measure(options.map_points, options.repeats, _say)
    return "\n\n".join(table.markdown() for table in maps.tables(found))


def _load(options: Options) -> str:
    from bench import load

    asked = options.page, options.sessions, options.thought
    found = load.table(load.measure(*asked, options.seconds, _say), *asked).markdown()
    if not options.opened:
        return found
    left, closed = load.churn(options.page, options.opened, _say)
    return f"{found}\n\n{options.opened:,} sessions opened and closed leave {left:.0f} MB; {closed} were cut off."


def _say(message: str) -> None:
    click.echo(message, err=True)


BENCHMARKS: dict[str, Callable[[Options], str]] = {
    "training": _training,
    "projection": _projection,
    "streaming": _streaming,
    "memory": _memory,
    "watched": _watched,
    "start": _start,
    "first_loss": _first_loss,
    "decoding": _decoding,
    "map": _map,
    "load": _load,
}

if __name__ == "__main__":
    main(prog_name="python -m bench")

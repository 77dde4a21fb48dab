"""Watching: a training that someone watches on the page Train, against the same training that nobody watches."""

import asyncio
import statistics
import time
from typing import NamedTuple

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from aeviz import training
from aeviz.data import Dataset
from aeviz.errors import BadValue
from aeviz.runs import Run
from bench.measure import Say, Setup, counted, interleave, median_and_range, ratio, temporary_runs
from bench.serving import POLL_SECONDS, serving
from bench.table import Table
from bench.training import make_recipe

AIM = 0.90
BATCH_SIZE = 128


class Watched(NamedTuple):
    """One training: images per second while training, and how often a second the page was drawn anew."""

    images_per_s: float
    updates_per_s: float


class Watcher:
    """What a browser on the page Train sends: one visit, then every look that the page asks it for."""

    def __init__(self, address: str, run: Run) -> None:
        self.address, self.query = address, f"run={run.id}"
        self.drawn = 0  # script and fragment runs that have ended
        self._page = ""  # as the server calls the page it shows
        self._looks: dict[str, asyncio.Task[None]] = {}

    async def watch(self) -> None:
        """Stay until cancelled."""
        async with websockets.connect(self.address, max_size=None) as stream:
            await self._ask(stream, "")
            try:
                async for message in stream:
                    await self._hear(stream, ForwardMsg.FromString(message))  # type: ignore[arg-type]
            finally:
                self._stop_looking()

    async def _hear(self, stream: websockets.ClientConnection, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "auto_rerun":
            wanted = message.auto_rerun
            self._stop_looking(wanted.fragment_id)
            looking = self._look_again(stream, wanted.fragment_id, wanted.interval)
            self._looks[wanted.fragment_id] = asyncio.create_task(looking)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop_looking(fragment)
        elif kind == "new_session" and not message.metadata.run.fragment_ids:
            self._stop_looking()  # the page is drawn anew, and asks anew
        elif kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "script_finished":
            self.drawn += 1

    async def _look_again(self, stream: websockets.ClientConnection, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self._ask(stream, fragment)

    async def _ask(self, stream: websockets.ClientConnection, fragment: str) -> None:
        asked = BackMsg()
        asked.rerun_script.query_string = self.query
        asked.rerun_script.page_name = "" if self._page else "train"
        asked.rerun_script.page_script_hash = self._page
        asked.rerun_script.fragment_id = fragment
        asked.rerun_script.is_auto_rerun = bool(fragment)
        await stream.send(asked.SerializeToString())

    def _stop_looking(self, fragment: str | None = None) -> None:
        for name in [fragment] if fragment is not None else list(self._looks):
            if name in self._looks:
                self._looks.pop(name).cancel()


async def train_watched(dataset: Dataset, epochs: int, setup: Setup, address: str, watched: bool) -> Watched:
    """Train in a process of its own, as the button does, with or without one watcher; the server runs either way."""
    run = training.prepare(make_recipe("dense", BATCH_SIZE, epochs, setup), dataset)
    watcher = Watcher(address, run)
    watching = asyncio.create_task(watcher.watch()) if watched else None
    while watching and watcher.drawn == 0:
        await _poll(watching)
    training.launch(run)
    started, before = time.perf_counter(), watcher.drawn
    while run.is_live():
        await _poll(watching)
    seconds = time.perf_counter() - started
    if watching:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return Watched(_speed(run), (watcher.drawn - before) / seconds)


def compare(dataset: Dataset, setup: Setup, epochs: int, say: Say) -> list[list[Watched]]:
    """Trainings (repeats,) without and with a watcher."""
    say("watched: starting the app")
    with temporary_runs(), serving() as served:
        sides = [
            lambda watched=watched: asyncio.run(train_watched(dataset, epochs, setup, served.stream, watched))
            for watched in (False, True)
        ]
        for train in sides:
            train()
        say("watched: training without and with a watcher")
        return interleave(sides, setup.repeats)


def table(found: list[list[Watched]], dataset: Dataset, setup: Setup, epochs: int) -> Table:
    """A row without and a row with a watcher; the ratio is of images per second."""
    rows = []
    alone = [each.images_per_s for each in found[0]]
    for name, results in zip(("nobody", "one watcher"), found, strict=True):
        speeds = [each.images_per_s for each in results]
        shown = median_and_range(speeds, lambda speed: f"{speed / 1000:.1f}k")
        updates = statistics.median(each.updates_per_s for each in results)
        rows.append((name, shown, f"{updates:.1f}", f"{ratio(speeds, alone):.2f}"))
    title = (
        f"Watched: dense, batch {BATCH_SIZE}, {dataset.label}, {counted(epochs, 'epoch')}, precision {setup.precision}; "
        f"aims at {AIM:.2f}; {setup.described()}"
    )
    return Table(title, ("watched by", "images/s", "updates/s", "ratio"), rows)


async def _poll(watching: asyncio.Task[None] | None) -> None:
    await asyncio.sleep(POLL_SECONDS)
    if watching and watching.done():
        watching.result()
        raise BadValue("the app has closed the watcher's connection")


def _speed(run: Run) -> float:
    """Images per second from the first look at the loss to the end, validation and all."""
    status, lines = run.status(), [line for line in run.metrics() if line["step"] > 0]
    if status.state != "done":
        raise BadValue("the training that was to be watched has ended as {state}", state=status.state)
    first, last = lines[0], lines[-1]
    return (last["step"] - first["step"]) * BATCH_SIZE / (last["seconds"] - first["seconds"])

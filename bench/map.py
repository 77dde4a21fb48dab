"""The map: from the click on its link to dots on screen, and what a hand does on it, beside Streamlit's own chart and selection."""

import math
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from playwright.sync_api import sync_playwright

from aeviz.data import pictures
from aeviz.results import dataset_of
from aeviz.runs import Run
from bench.map_run import LATENT_DIM, TRAIN, make_run, temporary_data
from bench.map_visit import FLAGS, Step, Visit, most_charts, visit_native, visit_ours
from bench.measure import Say, counted, interleave, median_and_range
from bench.table import Table
from tests.browser.find import find_browser

MOST_NATIVE = 300_000  # there it closes the connection
SIDES = {"aeviz": visit_ours, "Streamlit": visit_native}
HEADER = (
    "points", "by", "kB", "first frame, s", "lasso, s", "kB sent", "box, s", "server before, MB", "after, MB",
    "first frame, ratio", "lasso, ratio",
)  # fmt: skip
HAND_HEADER = ("points", "card, ms", "frames/s", "with a picture", "placed, s", "moved")


class Compared(NamedTuple):
    """One number of points: visits (repeats,) to aeviz's map and to Streamlit's own chart, if it was asked."""

    points: int
    ours: list[Visit]
    native: list[Visit]


class Found(NamedTuple):
    """All that was measured, and how many WebGL charts each page holds."""

    compared: list[Compared]
    charts: dict[str, int]


def measure(points: Sequence[int], repeats: int, say: Say) -> Found:
    """All numbers of points, both sides in turn; every visit on a server of its own."""
    with temporary_data() as folder, sync_playwright() as playwright:
        runs = []
        for count in points:
            say(f"map: making a run with {count:,} codes, their map and its quality")
            runs.append(make_run(count))
        picture = _write_picture(folder, runs[0])
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        asked = [(count, side, run) for count, run in zip(points, runs, strict=True) for side in _sides(count)]

        def visit(count: int, side: str, run: Run) -> Visit:
            say(f"map: {count:,} points by {side}")
            return SIDES[side](browser, run, picture)

        visits = interleave([partial(visit, *each) for each in asked], repeats)
        found = {(count, side): each for (count, side, _), each in zip(asked, visits, strict=True)}
        compared = [Compared(count, found[count, "aeviz"], found.get((count, "Streamlit"), [])) for count in points]
        say("map: WebGL charts of all pages")
        return Found(compared, most_charts(browser, runs[0]))


def _sides(count: int) -> list[str]:
    return [side for side in SIDES if side == "aeviz" or count <= MOST_NATIVE]


def _write_picture(folder: Path, run: Run) -> Path:
    """A test image as a file, to be placed."""
    images = dataset_of(run).images
    path = folder / "mine.png"
    path.write_bytes(pictures.encode_png(pictures.mosaic(np.asarray(images[TRAIN + 7 : TRAIN + 8]), columns=1, gap=0)))
    return path


def tables(found: Found) -> list[Table]:
    """What both sides do, and what a hand does on aeviz's map alone."""
    repeats = counted(len(found.compared[0].ours), "interleaved repeat")
    most = max(found.charts, key=found.charts.__getitem__)
    title = f"The map: PCA of codes of {LATENT_DIM} numbers; medians of {repeats}; at most {counted(found.charts[most], 'WebGL chart')} on a page ({most})"
    rows = []
    for each in found.compared:
        rows.append((f"{each.points:,}", "aeviz", *_cells(each.ours), "", ""))
        if each.native:
            rows.append((
                f"{each.points:,}", "Streamlit", *_cells(each.native), _ratio(each, lambda visit: visit.first),
                _ratio(each, lambda visit: visit.lasso),
            ))  # fmt: skip
    hands = [(f"{each.points:,}", *_hand_cells(each.ours)) for each in found.compared]
    return [Table(title, HEADER, rows), Table(f"The map under the hand; medians of {repeats}", HAND_HEADER, hands)]


def _cells(visits: list[Visit]) -> tuple[str, ...]:
    first, lasso, box = ([visit[at] for visit in visits] for at in range(3))
    memory = (f"{statistics.median(values):.0f}" for values in zip(*((v.before, v.after) for v in visits), strict=True))
    sent = [step.sent for step in lasso if step.seconds is not None]
    return (
        _kilobytes([step.received for step in first]), _seconds(first), _seconds(lasso),
        _kilobytes(sent) if sent else "", _seconds(box), *memory,
    )  # fmt: skip


def _hand_cells(visits: list[Visit]) -> tuple[str, ...]:
    cards = [card for visit in visits for card in visit.cards if card is not None]
    places = np.array([visit.place for visit in visits])
    return (
        median_and_range(cards, lambda value: f"{value:.0f}") if cards else "no dots",
        median_and_range([visit.frames for visit in visits], lambda value: f"{value:.0f}"),
        median_and_range([visit.pictures for visit in visits], lambda value: f"{value:.0f}"),
        _seconds([Step(visit.placed) for visit in visits]),
        f"{np.ptp(places, axis=0).max():.1g}" if len(visits) > 1 else "",
    )


def _ratio(each: Compared, step: Callable[[Visit], Step]) -> str:
    """The median of the rounds' ratios; nothing where the rival never came to an end."""
    ratios = [
        theirs / ours
        for ours, theirs in ((step(a).seconds, step(b).seconds) for a, b in zip(each.ours, each.native, strict=True))
        if ours is not None and theirs is not None
    ]
    return f"{statistics.median(ratios):.1f}" if ratios else ""


def _seconds(steps: Sequence[Step]) -> str:
    known = [math.inf if step.seconds is None else step.seconds for step in steps]
    middle = statistics.median_low(known)
    return "closes the connection" if math.isinf(middle) else median_and_range(known, lambda value: f"{value:.2f}")


def _kilobytes(values: Sequence[float]) -> str:
    return f"{statistics.median(values):,.0f}"

"""Roads between two, three or four codes: straight, along the sphere, through the data, or by what the decoder draws."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from aeviz.errors import BadValue
from aeviz.latent.conditioning import one_hot
from aeviz.latent.neighbours import nearest
from aeviz.latent.paths.geodesic import Metric, geodesic
from aeviz.latent.paths.neighbour_graph import NeighbourGraph
from aeviz.models.variants.vae import VAE

MIN_STOPS, MAX_STOPS = 2, 4
MIN_STEPS, MAX_STEPS = 3, 64
JUDGED = 1000  # codes whose nearest neighbours say what is near


@dataclass(frozen=True)
class Context:
    """What a road may have to know: the codes (N, D) of the data, the model that draws them, their graph if kept.

    `told` (N,) are the classes that a conditional model is told with them.
    """

    codes: np.ndarray
    model: Any = None
    kept_graph: NeighbourGraph | None = None
    condition: np.ndarray | None = None

    @property
    def dims(self) -> int:
        """Numbers per code, D; what stops have besides are shares of classes."""
        return int(self.codes.shape[1])

    def at(self, rows: list[int]) -> np.ndarray:
        """Codes of the data (n, D), with the shares of their classes behind them for a conditional model."""
        condition = None if self.condition is None else one_hot(self.condition[rows], self.model.n_classes)
        return self.codes[rows] if condition is None else np.hstack([self.codes[rows], condition])

    @cached_property
    def graph(self) -> NeighbourGraph:
        """The codes with their nearest neighbours."""
        return self.kept_graph or NeighbourGraph.of(self.codes)

    @cached_property
    def metric(self) -> Metric:
        """The decoder's metric over these codes."""
        return Metric.of(self.model, self.codes, neighbour_distance(self.codes))


class CodePath:
    """A way through codes; a new one sets these names and writes `leg`."""

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    needs_codes: ClassVar[bool] = False  # of the data, from the context

    def available(self, model: Any) -> bool:
        """Whether this model's codes can be walked so."""
        return True

    def walk(self, stops: np.ndarray, steps: int, context: Context) -> np.ndarray:
        """Codes (S, D) float32 through stops (M, D), each of which is one of the codes; legs take equally many steps.

        Stops of a conditional model are (M, D + K + 1): the shares of the classes stand behind the codes and go along.

        Raises:
            BadValue: as `places_of_stops`.
        """
        stops = np.asarray(stops, dtype=np.float32)
        places = stop_steps(len(stops), steps)
        codes = np.empty((steps, stops.shape[1]), dtype=np.float32)
        for a, b, first, last in zip(stops[:-1], stops[1:], places[:-1], places[1:], strict=True):
            codes[first : last + 1] = self.leg(a, b, last - first + 1, context)
        codes[places] = stops
        return codes

    def leg(self, a: np.ndarray, b: np.ndarray, steps: int, context: Context) -> np.ndarray:
        """Codes (S, D) from a (D,) to b (D,)."""
        raise NotImplementedError


class Straight(CodePath):
    """The straight line."""

    name = "straight"
    label = "Straight"
    help = "The shortest way through the space, whatever lies there."

    def leg(self, a: np.ndarray, b: np.ndarray, steps: int, context: Context) -> np.ndarray:
        return lerp(a, b, steps)


class Spherical(CodePath):
    """The great circle."""

    name = "spherical"
    label = "Spherical"
    help = "Around the origin, as far from it as the images are: for codes that lie on a sphere, as a VAE's do."

    def leg(self, a: np.ndarray, b: np.ndarray, steps: int, context: Context) -> np.ndarray:
        dims = context.dims
        return np.hstack([slerp(a[:dims], b[:dims], steps), lerp(a[dims:], b[dims:], steps)])


class ThroughData(CodePath):
    """The shortest path over the graph of nearest neighbours (Isomap's geodesic; Tenenbaum et al., Science 2000)."""

    name = "data"
    label = "Through the data"
    help = "From neighbour to neighbour among the codes of up to 10,000 training images, the shortest such way."
    needs_codes = True

    def leg(self, a: np.ndarray, b: np.ndarray, steps: int, context: Context) -> np.ndarray:
        between = context.graph.shortest_path(a[: context.dims], b[: context.dims])
        return evenly(np.concatenate([[a], context.at(between), [b]]), steps, context.dims)


class Geodesic(CodePath):
    """The curve along which the decoded image changes least, near the data; see `Metric`."""

    name = "geodesic"
    label = "By the decoder"
    help = "Where the decoded picture changes least in all, not far from the data (the decoder's metric; VAEs only)."
    needs_codes = True

    def available(self, model: Any) -> bool:
        return isinstance(model, VAE)

    def leg(self, a: np.ndarray, b: np.ndarray, steps: int, context: Context) -> np.ndarray:
        return along(geodesic(context.metric, a, b), steps)


PATHS: dict[str, CodePath] = {path.name: path for path in (Straight(), Spherical(), ThroughData(), Geodesic())}


def stop_steps(stops: int, steps: int) -> np.ndarray:
    """Which steps (M,) of a road its stops are.

    Raises:
        BadValue: fewer than 2 stops or more than 4, or not 3 to 64 steps, at least one for each stop.
    """
    if not MIN_STOPS <= stops <= MAX_STOPS:
        raise BadValue(
            "a road leads through {fewest} to {most} images, not {count}",
            fewest=MIN_STOPS, most=MAX_STOPS, count=stops,
        )  # fmt: skip
    fewest = max(MIN_STEPS, stops)
    if not fewest <= steps <= MAX_STEPS:
        raise BadValue(
            "a road through {stops} images takes {fewest} to {most} steps, not {steps}",
            stops=stops, fewest=fewest, most=MAX_STEPS, steps=steps,
        )  # fmt: skip
    return np.rint(np.linspace(0, steps - 1, stops)).astype(np.int64)


def lerp(a: np.ndarray, b: np.ndarray, steps: int) -> np.ndarray:
    """Codes (S, D) on the straight line from a (D,) to b (D,)."""
    t = np.linspace(0.0, 1.0, steps)[:, None]
    return (1 - t) * np.asarray(a, dtype=np.float64) + t * np.asarray(b, dtype=np.float64)


def slerp(a: np.ndarray, b: np.ndarray, steps: int) -> np.ndarray:
    """Codes (S, D) along the great circle from a (D,) to b (D,), lengths included.

    Spherical linear interpolation (Shoemake, SIGGRAPH 1985, https://doi.org/10.1145/325165.325242): Gaussian
    codes lie near a sphere, and a straight line cuts through its empty middle. Parallel, opposite and zero codes
    have no great circle of their own and take the straight line.
    """
    start, end = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    lengths = float(np.linalg.norm(start) * np.linalg.norm(end))
    cosine = float(np.clip(start @ end / lengths, -1.0, 1.0)) if lengths > 0 else 1.0
    if abs(cosine) > 1 - 1e-9:
        return lerp(a, b, steps)
    angle = np.arccos(cosine)
    t = np.linspace(0.0, 1.0, steps)[:, None]
    return (np.sin((1 - t) * angle) * start + np.sin(t * angle) * end) / np.sin(angle)


def evenly(polyline: np.ndarray, steps: int, dims: int | None = None) -> np.ndarray:
    """Codes (S, D) at equal distances along a polyline (V, D); by its first dims only, where they are given."""
    lengths = np.linalg.norm(np.diff(polyline[:, :dims], axis=0), axis=1)
    return _at(polyline, np.concatenate([[0.0], np.cumsum(lengths)]), steps)


def along(curve: np.ndarray, steps: int) -> np.ndarray:
    """Codes (S, D) at equal times along a curve's codes (T, D)."""
    return _at(curve, np.arange(len(curve), dtype=np.float64), steps)


def distance_to_data(codes: np.ndarray, known: np.ndarray, unit: float | None = None) -> np.ndarray:
    """How far codes (S, D) are from the nearest of the known codes (N, D); 1 is as far as neighbours are.

    The unit is that of `neighbour_distance`, which may be given where it is known.
    """
    distances, _ = nearest(known, codes, 1)
    return distances[:, 0] / (neighbour_distance(known) if unit is None else unit)


def neighbour_distance(known: np.ndarray, seed: int = 0) -> float:
    """The median distance of a code to its nearest other one, over up to 1,000 of codes (N, D) drawn with the seed.

    Equal codes, such as those of a small vocabulary, count once; 1 where all are equal.
    """
    known = np.unique(known, axis=0)
    if len(known) < 2:
        return 1.0
    drawn = np.random.default_rng(seed).permutation(len(known))[:JUDGED]
    return float(np.median(nearest(known, known[drawn], 2)[0][:, 1]))  # the nearest of all is the code itself


def _at(curve: np.ndarray, times: np.ndarray, steps: int) -> np.ndarray:
    """Codes (S, D) at equal times on a curve (V, D) that is at its codes at the given times (V,)."""
    asked = np.linspace(0.0, times[-1], steps)
    return np.stack([np.interp(asked, times, values) for values in np.asarray(curve).T], axis=1)

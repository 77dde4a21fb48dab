"""Paths through two to four codes: straight, spherical, through the data, or geodesic under the decoder's metric."""

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
SAMPLED = 1000  # codes that the typical neighbour distance is estimated from


@dataclass(frozen=True)
class Context:
    """What a path may depend on: the codes (N, D) of the data, the model, and their neighbour graph if cached.

    `condition` (N,) are the class labels of the codes, for a conditional model.
    """

    codes: np.ndarray
    model: Any = None
    kept_graph: NeighbourGraph | None = None
    condition: np.ndarray | None = None

    @property
    def dims(self) -> int:
        """Dimensions per code, D; further columns of stops are class shares."""
        return int(self.codes.shape[1])

    def at(self, rows: list[int]) -> np.ndarray:
        """Codes of the data (n, D), followed by their class shares for a conditional model."""
        condition = None if self.condition is None else one_hot(self.condition[rows], self.model.n_classes)
        return self.codes[rows] if condition is None else np.hstack([self.codes[rows], condition])

    @cached_property
    def graph(self) -> NeighbourGraph:
        """The neighbour graph of the codes."""
        return self.kept_graph or NeighbourGraph.of(self.codes)

    @cached_property
    def metric(self) -> Metric:
        """The decoder's metric near these codes."""
        return Metric.of(self.model, self.codes, neighbour_distance(self.codes))


class CodePath:
    """A path through codes; a subclass sets these attributes and implements `leg`."""

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]
    needs_codes: ClassVar[bool] = False  # whether it needs the codes of the data in the context

    def available(self, model: Any) -> bool:
        """Whether the path is available for this model."""
        return True

    def walk(self, stops: np.ndarray, steps: int, context: Context) -> np.ndarray:
        """Codes (S, D) float32 through stops (M, D), each of which is one of the codes; legs have equal step counts.

        For a conditional model stops are (M, D + K + 1): class shares follow the codes and are interpolated too.

        Raises:
            BadValue: as in `stop_steps`.
        """
        stops = np.asarray(stops, dtype=np.float32)
        places = stop_steps(len(stops), steps)
        codes = np.empty((steps, stops.shape[1]), dtype=np.float32)
        for a, b, first, last in zip(stops[:-1], stops[1:], places[:-1], places[1:], strict=True):
            codes[first : last + 1] = self.leg(a, b, last - first + 1, context)
        codes[places] = stops
        return codes

    def leg(self, a: np.ndarray, b: np.ndarray, steps: int, context: Context) -> np.ndarray:
        """Codes (S, D) from stop a (D,) to stop b (D,)."""
        raise NotImplementedError


class Straight(CodePath):
    """The straight line."""

    name = "straight"
    label = "Straight"
    help = "The straight line through the latent space, wherever it leads."

    def leg(self, a: np.ndarray, b: np.ndarray, steps: int, context: Context) -> np.ndarray:
        """Codes (S, D) on the straight line between two codes (D,)."""
        return lerp(a, b, steps)


class Spherical(CodePath):
    """The great circle."""

    name = "spherical"
    label = "Spherical"
    help = "Around the origin at the images' distance from it: for codes near a sphere, as in a VAE."

    def leg(self, a: np.ndarray, b: np.ndarray, steps: int, context: Context) -> np.ndarray:
        """Codes (S, D) on the great arc between two codes (D,), their lengths interpolated (Shoemake, SIGGRAPH 1985)."""
        dims = context.dims
        return np.hstack([slerp(a[:dims], b[:dims], steps), lerp(a[dims:], b[dims:], steps)])


class ThroughData(CodePath):
    """The shortest path over the graph of nearest neighbours (Isomap's geodesic; Tenenbaum et al., Science 2000)."""

    name = "data"
    label = "Through the data"
    help = "The shortest path from neighbour to neighbour among the codes of up to 10,000 training images."
    needs_codes = True

    def leg(self, a: np.ndarray, b: np.ndarray, steps: int, context: Context) -> np.ndarray:
        """Codes (S, D) along the shortest path through neighbouring codes of the data."""
        between = context.graph.shortest_path(a[: context.dims], b[: context.dims])
        return evenly(np.concatenate([[a], context.at(between), [b]]), steps, context.dims)


class Geodesic(CodePath):
    """The curve along which the decoded image changes least, near the data; see `Metric`."""

    name = "geodesic"
    label = "By the decoder"
    help = "The path along which the decoded image changes least in total, near the data (decoder metric; VAEs only)."
    needs_codes = True

    def available(self, model: Any) -> bool:
        """Whether the model is a VAE, whose decoder the metric is made for."""
        return isinstance(model, VAE)

    def leg(self, a: np.ndarray, b: np.ndarray, steps: int, context: Context) -> np.ndarray:
        """Codes (S, D) along the shortest curve in the decoder's pull-back metric."""
        return along(geodesic(context.metric, a, b), steps)


PATHS: dict[str, CodePath] = {path.name: path for path in (Straight(), Spherical(), ThroughData(), Geodesic())}


def stop_steps(stops: int, steps: int) -> np.ndarray:
    """Step numbers (M,) at which a path reaches its stops.

    Raises:
        BadValue: not 2 to 4 stops, or not 3 to 64 steps with at least one per stop.
    """
    if not MIN_STOPS <= stops <= MAX_STOPS:
        raise BadValue(
            "a path leads through {fewest} to {most} images, not {count}",
            fewest=MIN_STOPS, most=MAX_STOPS, count=stops,
        )  # fmt: skip
    fewest = max(MIN_STEPS, stops)
    if not fewest <= steps <= MAX_STEPS:
        raise BadValue(
            "a path through {stops} images takes {fewest} to {most} steps, not {steps}",
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
    codes lie near a sphere, and a straight line cuts through its empty centre. Parallel, opposite and zero codes
    define no great circle and fall back to the straight line.
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
    """Codes (S, D) at equal distances along a polyline (V, D); distances use the first `dims` columns if given."""
    lengths = np.linalg.norm(np.diff(polyline[:, :dims], axis=0), axis=1)
    return _at(polyline, np.concatenate([[0.0], np.cumsum(lengths)]), steps)


def along(curve: np.ndarray, steps: int) -> np.ndarray:
    """Codes (S, D) at equal time steps along a curve (T, D)."""
    return _at(curve, np.arange(len(curve), dtype=np.float64), steps)


def distance_to_data(codes: np.ndarray, known: np.ndarray, unit: float | None = None) -> np.ndarray:
    """Distance (S,) of codes (S, D) to the nearest known code (N, D), in units of the typical neighbour distance.

    The unit is `neighbour_distance(known)` unless given.
    """
    distances, _ = nearest(known, codes, 1)
    return distances[:, 0] / (neighbour_distance(known) if unit is None else unit)


def neighbour_distance(known: np.ndarray, seed: int = 0) -> float:
    """Median distance to the nearest other code, over up to 1,000 of the codes (N, D) drawn with the seed.

    Duplicates (as in a small codebook) count once; 1 if all codes are equal.
    """
    known = np.unique(known, axis=0)
    if len(known) < 2:
        return 1.0
    drawn = np.random.default_rng(seed).permutation(len(known))[:SAMPLED]
    return float(np.median(nearest(known, known[drawn], 2)[0][:, 1]))  # the nearest is the code itself


def _at(curve: np.ndarray, times: np.ndarray, steps: int) -> np.ndarray:
    """Codes (S, D) at equal time steps on a curve (V, D) given at times (V,)."""
    wanted = np.linspace(0.0, times[-1], steps)
    return np.stack([np.interp(wanted, times, values) for values in np.asarray(curve).T], axis=1)

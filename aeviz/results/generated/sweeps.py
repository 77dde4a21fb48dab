"""Axes of a run's latent space: range and effect of each, and image grids over any two."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from aeviz.errors import BadValue
from aeviz.latent.encode import decode
from aeviz.latent.paths.traversals import (
    Order,
    coordinates,
    effect,
    grid,
    kl_by_dimension,
    plane_ranges,
    principal_axes,
    ranges,
    traverse,
)
from aeviz.models.variants.vae import VAE
from aeviz.results.codes import dataset_of, known_codes, model_of
from aeviz.results.generated.paths import distance_to_data
from aeviz.results.store import Report, path_of, quiet, read_arrays, write_arrays
from aeviz.runs import Run
from aeviz.runs.directions import list_directions

Kind = Literal["dimensions", "principal"]
BASES = 16  # codes that the effect of an axis is averaged over
KL_IMAGES = 2000  # training images that the KL of a dimension is averaged over
MIN_CELLS, MAX_CELLS = 2, 40
MAX_PRINCIPAL, MAX_ROWS = 20, 64


@dataclass(frozen=True)
class Axes:
    """Axes (M, D) with reach (M, 2), variance (M,), effect (M,) and, for the dimensions of a VAE, kl (M,).

    The reach is in axis lengths, as in `traverse`; `order` (M,) sorts the axes, most important first.
    """

    vectors: np.ndarray
    reach: np.ndarray
    variance: np.ndarray
    effect: np.ndarray
    kl: np.ndarray | None
    order: np.ndarray


def axes(run: Run, kind: Kind = "dimensions", order: Order = "variance", report: Report = quiet) -> Axes:
    """The latent dimensions or principal axes of a run's codes with their measures, cached.

    Raises:
        BadValue: an order by KL for axes without KL.
        MissingData: the images are not available.
    """
    path = path_of(run, "axes", {"kind": kind}, "npz")
    kept = read_arrays(path)
    if kept is None:
        kept = _measured(run, kind, report)
        write_arrays(path, kept)
    if order not in kept:
        raise BadValue("only the latent dimensions of a VAE are ordered by kl; order by variance or effect")
    shown = {name: kept[name] for name in ("vectors", "reach", "variance", "effect")}
    return Axes(**shown, kl=kept.get("kl"), order=np.argsort(-kept[order], kind="stable"))


def _measured(run: Run, kind: Kind, report: Report) -> dict[str, np.ndarray]:
    known, model = known_codes(run, report), model_of(run)
    report(0, 0, "Measuring axes")
    vectors = np.eye(known.z.shape[1]) if kind == "dimensions" else principal_axes(known.z)[0]
    along = coordinates(known.z, vectors)  # (N, M)
    found = {"vectors": vectors, "reach": ranges(along), "variance": along.var(axis=0)}
    bases, kl_images = known.first(BASES), known.first(KL_IMAGES)
    found["effect"] = effect(model, bases.z, vectors, found["reach"], bases.condition)
    if kind == "dimensions" and isinstance(model, VAE):
        found["kl"] = kl_by_dimension(model, dataset_of(run).images, kl_images.index, kl_images.condition)
    return found


def axis_name(kind: Kind, number: int) -> str:
    """The name of an axis, counted from 1, as shown on pages, in tables and on the command line."""
    return f"z{number + 1}" if kind == "dimensions" else f"PC {number + 1}"


def named_axes(run: Run, principal: Axes) -> dict[str, np.ndarray]:
    """Directions (D,) by name: the first 20 principal axes, all dimensions, and saved directions in quotes."""
    vectors = principal.vectors
    found = {axis_name("principal", number): vector for number, vector in enumerate(vectors[:MAX_PRINCIPAL])}
    found |= {axis_name("dimensions", number): vector for number, vector in enumerate(np.eye(len(vectors)))}
    kept = [each for each in list_directions(run) if len(each.vector) == len(vectors)]
    return found | {f"“{each.name}”": np.array(each.vector) for each in kept}


@dataclass(frozen=True)
class Sweep:
    """Traversals: axis numbers (M,), values (M, S), codes (M, S, D), and the original code's coordinates (M,)."""

    chosen: np.ndarray
    values: np.ndarray
    z: np.ndarray
    own: np.ndarray


def sweep(z: np.ndarray, known: Axes, steps: int, most: int = MAX_ROWS) -> Sweep:
    """Traverse the `most` most important axes through a code z (D,), each over the range of the data."""
    chosen = known.order[:most]
    low, high = known.reach[chosen].T
    values = np.linspace(low, high, steps, axis=1)  # (M, S)
    codes = [traverse(z, known.vectors[axis], row) for axis, row in zip(chosen, values, strict=True)]
    return Sweep(chosen, values, np.stack(codes), coordinates(z[None], known.vectors[chosen])[0])


@dataclass(frozen=True)
class Grid:
    """Images (Y, X, C, H, W) of codes z (Y, X, D) over two directions, at xs (X,) and ys (Y,) from top to bottom.

    `distance` (Y, X) to the data is in units of the typical neighbour distance.
    """

    z: np.ndarray
    x_hat: np.ndarray
    xs: np.ndarray
    ys: np.ndarray
    distance: np.ndarray


def manifold(
    run: Run,
    across: np.ndarray | None = None,
    up: np.ndarray | None = None,
    centre: np.ndarray | None = None,
    size: int = 20,
    label: int = 0,
) -> Grid:
    """Image grid in the plane of two directions (D,) through a centre (D,), over the range of the data.

    Default directions: both dimensions of two-dimensional codes, else the first two principal axes through the mean.
    A conditional network decodes everything as class `label`.

    Raises:
        BadValue: not 2 to 40 images a side, or directions that do not span a plane.
    """
    if not MIN_CELLS <= size <= MAX_CELLS:
        raise BadValue(
            "a grid has {fewest} to {most} images a side, not {size}", fewest=MIN_CELLS, most=MAX_CELLS, size=size
        )
    codes = known_codes(run).z
    two = codes.shape[1] == 2
    axes_here = np.eye(2) if two else principal_axes(codes)[0]
    across, up = (axes_here[n % len(axes_here)] if axis is None else axis for n, axis in enumerate((across, up)))
    if centre is None:
        centre = np.zeros(2) if two else codes.mean(axis=0)
    (left, right), (bottom, top) = plane_ranges(codes, centre, across, up)
    xs, ys = np.linspace(left, right, size), np.linspace(top, bottom, size)
    z = grid(centre, across, up, xs, ys)
    flat = z.reshape(size * size, -1)
    model = model_of(run)
    condition = np.full(len(flat), label) if model.n_classes else None
    x_hat = decode(model, flat, labels=condition).reshape(size, size, *run.config().data.shape)
    return Grid(z, x_hat, xs, ys, distance_to_data(run, flat).reshape(size, size))

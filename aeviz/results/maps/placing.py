"""Place new images on an existing map."""

import shlex
from dataclasses import dataclass

import numpy as np

from aeviz.errors import NotNow
from aeviz.latent.encode import encode
from aeviz.latent.neighbours import PLACE_NEIGHBOURS, nearest
from aeviz.latent.projections.register import projection
from aeviz.results.codes import codes, labels_of, model_of
from aeviz.results.maps.maps import Map, MapRequest, kept_map
from aeviz.runs import Run


@dataclass(frozen=True)
class Placed:
    """Points (n, 2|3) of new images on a map, their codes z (n, D), and their nearest codes on the map.

    `neighbours` (n, k) are rows of the map, nearest first, with `distances` (n, k) between codes; k is 5, or all.
    `condition` (n,) are the class labels given to a conditional network.
    """

    drawn: Map
    points: np.ndarray
    z: np.ndarray
    neighbours: np.ndarray
    distances: np.ndarray
    condition: np.ndarray | None = None


def place(run: Run, request: MapRequest, pixels: np.ndarray, labels: np.ndarray | None = None) -> Placed:
    """Place images (n, C, H, W) uint8 of the network's shape on a cached map.

    An image's position is independent of the others: each is encoded alone. For a conditional network, class labels
    come from `labels_of`.

    Raises:
        NotNow: the map does not exist yet; includes the command that creates it.
    """
    drawn = kept_map(run, request)
    if drawn is None:
        raise NotNow(
            "the run {run} has no such {label} map yet; create it with: {line}",
            run=run.id,
            label=projection(request.method).label,
            line=shlex.join(["python", "-m", "aeviz", "project", run.id, *request.options()]),
        )
    model = model_of(run)
    condition = labels_of(model, pixels, labels)
    z = encode(model, pixels, np.arange(len(pixels)), labels=condition, batch_size=1)
    known = codes(run, request.split).first(request.limit).z
    metric = request.written_out().settings.get("metric", "euclidean")
    distances, rows = nearest(known, z, PLACE_NEIGHBOURS, metric)
    return Placed(drawn, drawn.projection.place(z), z, rows, distances, condition)

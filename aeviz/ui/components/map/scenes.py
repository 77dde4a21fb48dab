"""From a run's map to what the browser draws of it: figure, pictures, decoder, density, names, and placed images."""

import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from aeviz import plots, results
from aeviz.data import pictures
from aeviz.errors import AevizError
from aeviz.export.page import scene
from aeviz.export.page.decoder import pack_decoder
from aeviz.export.page.scene import Scene
from aeviz.plots.packed import pack, pack_figure
from aeviz.results import Map, MapRequest
from aeviz.runs import Run
from aeviz.ui import cache, show
from aeviz.ui.components.images.pictures import Chosen
from aeviz.ui.components.map.colours import Painted
from aeviz.ui.serve import address, keep
from aeviz.ui.serve.density import pack_points

MOST_DOTS = 300_000  # drawn one by one; more are a density
SAMPLED = 20_000  # numbers that stand for all of a scale
SHADES = 40  # steps of a scale in the density


def scene_of(
    run: Run, request: MapRequest, drawn: Map, coloured: Painted, *, mode: str, height: int, live: str | None = None
) -> Scene:
    """A map as it is seen before anybody has done anything on it.

    Args:
        run: whose codes.
        request: which map of them.
        drawn: the map.
        coloured: values for its dots.
        mode: dots, pictures or density.
        height: in pixels.
        live: where its next frames are fetched while it is still computed.
    """
    dense, shown = mode == "density", pictures_of(run)
    return Scene(
        space=space_of(run, request),
        figure=figure_of(run, request, drawn, coloured, empty=dense, height=height),
        dims=drawn.points.shape[1],
        size=len(drawn.points),
        height=height,
        show=mode,
        classes=run.config().data.classes,
        pictures=shown,
        near=address("near", run.id, run.weights_id(), request.split) if shown else None,
        decode=None if live else decode_of(run, request, drawn),
        density=density_of(run, request, drawn, coloured) if dense else None,
        live=live,
    )


def named(run: Run, request: MapRequest, drawn: Map, *more: Any) -> str:
    """A text that names all that is made of a map: points of one request change where it is gone on with."""
    points = zlib.crc32(np.ascontiguousarray(drawn.points).data)
    return json.dumps([run.id, run.weights_id(), request.to_json(), points, *more], sort_keys=True)


def space_of(run: Run, request: MapRequest) -> str:
    """The name of a map whatever its colours, short enough for the browser's memory of it."""
    asked = json.dumps([run.id, run.weights_id(), request.written_out().to_json()], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def figure_of(run: Run, request: MapRequest, drawn: Map, coloured: Painted, *, empty: bool, height: int) -> str:
    """Where the packed figure lies; an empty one has the map's axes and legend, but no dots."""
    source = named(run, request, drawn, "figure", coloured.key, empty, height)
    return keep(source, lambda: pack_figure(_figure(request, drawn, coloured, empty, height)))


def _figure(request: MapRequest, drawn: Map, coloured: Painted, empty: bool, height: int) -> Any:
    rows = _standing_in(coloured) if empty else slice(None)
    figure = plots.latent_scatter(
        drawn.points[rows], None if coloured.values is None else coloured.values[rows], class_names=coloured.names,
        colour_label=coloured.label, signed=coloured.signed, index=drawn.index[rows],
        axis_labels=axis_labels(request, drawn), height=height, uirevision=json.dumps(request.to_json()),
    )  # fmt: skip
    if empty:
        plots.without_dots(figure, drawn.points)
    return figure


def _standing_in(coloured: Painted) -> np.ndarray:
    """Rows enough for a legend or a scale: one of every class, or an even sample of what is on a scale."""
    if coloured.values is None:
        return np.zeros(1, np.int64)
    if coloured.names is None:
        return np.arange(0, len(coloured.values), 1 + len(coloured.values) // SAMPLED)
    return np.unique(coloured.values, return_index=True)[1]


def axis_labels(request: MapRequest, drawn: Map) -> list[str]:
    """What the axes are called, where they mean something."""
    return [str(name) for name in drawn.notes.get("axes", [])]


def pictures_of(run: Run) -> Mapping[str, Any] | None:
    """Where the browser finds small pictures, if the images are here."""
    dataset = cache.images_if_here(run)
    if dataset is None:
        return None
    asked = (run.id, run.weights_id())
    per = scene.per_tile(dataset.shape)
    return {
        "tile": address("tile", *asked),
        "sheet": address("sheet", *asked),
        "per": per,
        "shape": list(dataset.shape),
    }


def decode_of(run: Run, request: MapRequest, drawn: Map) -> Mapping[str, Any] | None:
    """The way from a place on a flat map to a picture; the decoder itself where a browser can run it."""
    if drawn.points.shape[1] != 2:
        return None
    inverse = keep(named(run, request, drawn, "inverse"), lambda: pack(_inverse(run, request, drawn)))
    return decoding_of(run) | {"inverse": inverse}


def decoding_of(run: Run) -> dict[str, Any]:
    """How codes become pictures in a browser: by itself where it can, else by the server."""
    server = address("decode", run.id, run.weights_id())
    return {"decoder": decoder_of(run), "server": server, "shape": list(run.config().data.shape)}


def decoder_of(run: Run) -> str | None:
    """Where the packed decoder lies, or None where it is too much for a browser."""
    try:
        return keep(f"decoder {run.id} {run.weights_id()}", lambda: pack_decoder(cache.model(run)))
    except AevizError:
        return None  # refused by name or by size: the server decodes


def _inverse(run: Run, request: MapRequest, drawn: Map) -> dict[str, Any]:
    coded = results.codes(run, request.split).first(request.limit)
    return scene.inverse_of(drawn.projection, drawn.points, coded.z, coded.told, cache.model(run).n_classes)


def density_of(run: Run, request: MapRequest, drawn: Map, coloured: Painted) -> Mapping[str, Any] | None:
    """Where counts by cell are asked for, and in which colours."""
    if drawn.points.shape[1] != 2:
        return None
    points = keep(named(run, request, drawn, "points"), lambda: pack_points(drawn.points))
    numbers, palette = plots.numbered_colours(coloured.values, coloured.names, SHADES, coloured.signed)
    colour = keep(named(run, request, drawn, "numbers", coloured.key), lambda: numbers.tobytes())
    asked = (path.rpartition("/")[2] for path in (points, colour))
    return {"address": address("density", *asked), "palette": palette}


def names_of(run: Run, request: MapRequest, drawn: Map, coloured: Painted) -> list[dict[str, Any]]:
    """The classes' names where their dots lie most densely."""
    return _names(named(run, request, drawn, coloured.key), drawn.points, coloured.values, coloured.names)


@st.cache_data(max_entries=32, show_spinner=False)
def _names(source: str, _points: np.ndarray, _values: np.ndarray | None, names: Any) -> list[dict[str, Any]]:
    return scene.names_of(_points, _values, names)


def found_of(drawn: Map, rows: np.ndarray, *, dense: bool) -> dict[str, Any]:
    """Rows (n,) that were searched for, and where they are for a browser that has no dots."""
    if not dense:
        return {"rows": rows.tolist()}
    x, y = drawn.points[np.isin(drawn.index, rows)].T.tolist()
    return {"rows": rows.tolist(), "x": x, "y": y}


def means_of(run: Run, request: MapRequest, drawn: Map) -> list[dict[str, Any]]:
    """For each class its mean image, and what the decoder makes of its mean code, where its dots lie most densely."""
    if drawn.points.shape[1] != 2 or cache.images_if_here(run) is None:
        return []
    means = cache.class_means(run, request.split)
    places = scene.regions_of(drawn.points, drawn.labels)
    return [
        {**places[label], "pictures": [_address_of(image), _address_of(decoded)]}
        for label, image, decoded in zip(means.labels.tolist(), means.images, means.decoded, strict=True)
        if label in places
    ]


def _address_of(image: np.ndarray) -> str:
    """A picture of an image (C, H, W), floats in [0, 1]."""
    return show.address(pictures.encode_png(pictures.mosaic(pictures.to_pixels(image)[None], columns=1, gap=0)))


def stars_of(run: Run, request: MapRequest, drawn: Map, chosen: Chosen) -> list[dict[str, Any]]:
    """Images where they belong on the map, each with its picture and the rows nearest to it."""
    if not chosen.names:
        return []
    placed = results.place(run, request, chosen.pixels, chosen.labels)
    return [
        {
            **dict(zip("xyz", point.tolist(), strict=False)),
            "name": name,
            "near": drawn.index[rows].tolist(),
            "picture": show.address(pictures.encode_png(pictures.mosaic(image[None], columns=1, gap=0))),
        }
        for name, image, point, rows in zip(chosen.names, chosen.pixels, placed.points, placed.neighbours, strict=True)
    ]

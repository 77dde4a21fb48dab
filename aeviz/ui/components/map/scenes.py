"""Build the browser's data of a map: figure, thumbnails, decoder, density, names and placed images."""

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
from aeviz.ui.serve.addresses import address
from aeviz.ui.serve.blobs import keep
from aeviz.ui.serve.density import pack_points

MOST_DOTS = 300_000  # drawn individually; more are shown as a density
SAMPLED = 20_000  # values that represent a continuous scale
SHADES = 40  # steps of a continuous scale in the density


def scene_of(
    run: Run, request: MapRequest, drawn: Map, coloured: Painted, *, mode: str, height: int, live: str | None = None
) -> Scene:
    """The initial scene of a map.

    Args:
        run: provides the codes.
        request: the map's settings.
        drawn: the map.
        coloured: values of its dots.
        mode: dots, pictures, means or density.
        height: in pixels.
        live: URL path of its next frames while it is computed.
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
    """A text that identifies data of a map; includes the points, which change when a map is continued."""
    points = zlib.crc32(np.ascontiguousarray(drawn.points).data)
    return json.dumps([run.id, run.weights_id(), request.to_json(), points, *more], sort_keys=True)


def space_of(run: Run, request: MapRequest) -> str:
    """A short identifier of a map, independent of its colours."""
    asked = json.dumps([run.id, run.weights_id(), request.written_out().to_json()], sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()[:16]


def figure_of(run: Run, request: MapRequest, drawn: Map, coloured: Painted, *, empty: bool, height: int) -> str:
    """URL path of the packed figure; an empty one has axes and legend but no dots."""
    source = named(run, request, drawn, "figure", coloured.key, empty, height)
    return keep(source, lambda: pack_figure(_figure(request, drawn, coloured, empty, height)))


def _figure(request: MapRequest, drawn: Map, coloured: Painted, empty: bool, height: int) -> Any:
    rows = _sample_rows(coloured) if empty else slice(None)
    figure = plots.latent_scatter(
        drawn.points[rows], None if coloured.values is None else coloured.values[rows], class_names=coloured.names,
        colour_label=coloured.label, signed=coloured.signed, index=drawn.index[rows],
        axis_labels=axis_labels(request, drawn), height=height, uirevision=json.dumps(request.to_json()),
    )  # fmt: skip
    if empty:
        plots.without_dots(figure, drawn.points)
    return figure


def _sample_rows(coloured: Painted) -> np.ndarray:
    """Rows that suffice for the legend or scale: one per class, or an even sample."""
    if coloured.values is None:
        return np.zeros(1, np.int64)
    if coloured.names is None:
        return np.arange(0, len(coloured.values), 1 + len(coloured.values) // SAMPLED)
    return np.unique(coloured.values, return_index=True)[1]


def axis_labels(request: MapRequest, drawn: Map) -> list[str]:
    """Axis labels, if the axes have a meaning."""
    return [str(name) for name in drawn.notes.get("axes", [])]


def pictures_of(run: Run) -> Mapping[str, Any] | None:
    """URL paths and layout of thumbnails, or None if the images are not available."""
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
    """Inverse transform and decoder of a 2-D map, or None for 3-D."""
    if drawn.points.shape[1] != 2:
        return None
    inverse = keep(named(run, request, drawn, "inverse"), lambda: pack(_inverse(run, request, drawn)))
    return decoding_of(run) | {"inverse": inverse}


def decoding_of(run: Run) -> dict[str, Any]:
    """How the browser decodes codes: with its own decoder if possible, else on the server."""
    server = address("decode", run.id, run.weights_id())
    return {"decoder": decoder_of(run), "server": server, "shape": list(run.config().data.shape)}


def decoder_of(run: Run) -> str | None:
    """URL path of the packed decoder, or None if the browser cannot run it."""
    try:
        return keep(f"decoder {run.id} {run.weights_id()}", lambda: pack_decoder(cache.model(run)))
    except AevizError:
        return None  # unsupported layer or too large: the server decodes


def _inverse(run: Run, request: MapRequest, drawn: Map) -> dict[str, Any]:
    coded = results.codes(run, request.split).first(request.limit)
    return scene.inverse_of(drawn.projection, drawn.points, coded.z, coded.condition, cache.model(run).n_classes)


def density_of(run: Run, request: MapRequest, drawn: Map, coloured: Painted) -> Mapping[str, Any] | None:
    """URL path and palette of the density, or None for 3-D."""
    if drawn.points.shape[1] != 2:
        return None
    points = keep(named(run, request, drawn, "points"), lambda: pack_points(drawn.points))
    numbers, palette = plots.numbered_colours(coloured.values, coloured.names, SHADES, coloured.signed)
    colour = keep(named(run, request, drawn, "numbers", coloured.key), lambda: numbers.tobytes())
    asked = (path.rpartition("/")[2] for path in (points, colour))
    return {"address": address("density", *asked), "palette": palette}


def names_of(run: Run, request: MapRequest, drawn: Map, coloured: Painted) -> list[dict[str, Any]]:
    """Class names at the densest place of their dots."""
    return _names(named(run, request, drawn, coloured.key), drawn.points, coloured.values, coloured.names)


@st.cache_data(max_entries=32, show_spinner=False)
def _names(source: str, _points: np.ndarray, _values: np.ndarray | None, names: Any) -> list[dict[str, Any]]:
    return scene.names_of(_points, _values, names)


def found_of(drawn: Map, rows: np.ndarray, *, dense: bool) -> dict[str, Any]:
    """Rows (n,) found by a search, with their positions if the browser has no dots."""
    if not dense:
        return {"rows": rows.tolist()}
    x, y = drawn.points[np.isin(drawn.index, rows)].T.tolist()
    return {"rows": rows.tolist(), "x": x, "y": y}


def means_of(run: Run, request: MapRequest, drawn: Map) -> list[dict[str, Any]]:
    """For each class its mean image and decoded mean code, at the densest place of its dots."""
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
    """An image (C, H, W) in [0, 1] as a `data:` URL."""
    return show.address(pictures.encode_png(pictures.mosaic(pictures.to_pixels(image)[None], columns=1, gap=0)))


def stars_of(run: Run, request: MapRequest, drawn: Map, chosen: Chosen) -> list[dict[str, Any]]:
    """Placed images with their positions, pictures and nearest rows."""
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

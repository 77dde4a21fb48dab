"""A run's map as one HTML file that works offline: points, images and decoder included."""

import base64
import html
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import plotly

from aeviz import files, plots, results
from aeviz.data import Dataset, pictures, set_label
from aeviz.errors import AevizError, Stopped
from aeviz.export.page import scene
from aeviz.export.page.decoder import pack_decoder
from aeviz.export.page.scene import Scene
from aeviz.export.text import json_in_html, readable, script_in_html
from aeviz.latent.encode import reconstruct
from aeviz.latent.neighbours import own_nearest
from aeviz.latent.projections.register import projection
from aeviz.plots.packed import pack, pack_figure
from aeviz.results import Codes, Map, MapRequest
from aeviz.results.store import Report
from aeviz.runs import Run

MOST_POINTS = 10_000
FEWEST_POINTS = 30  # for a map that uses neighbours
NEIGHBOURS = 8
SIDE = 64  # pixels of a thumbnail; larger images are reduced
HEIGHT = 700  # pixels, until the window's height is known
PAGE = scene.STATIC / "page"
SAID = {name: word for name, word in scene.SAID.items() if name not in ("link", "drop")}


@dataclass(frozen=True)
class PageContent:
    """The content of a page: a map, its codes, thumbnails x and x_hat (n, C, h, w), and errors (n,)."""

    drawn: Map
    codes: Codes
    x: np.ndarray
    x_hat: np.ndarray
    mse: np.ndarray


def write_html(run: Run, out: Path, report: Report, request: MapRequest | None = None) -> str:
    """Write the page with the given map or the default one.

    Raises:
        MissingData: the images are not present.
    """
    request = request or default_map(run)
    drawn = _whole_map(run, request, report)
    content = gather(run, request, drawn, results.dataset_of(run), report)
    quality = results.quality(run, request, report)
    decoder, refused = packed_decoder(run, drawn)
    text = page(run, request, content, quality, decoder, report)
    with files.replacing(out) as beside:
        beside.write_text(text, encoding="utf-8")
    count = len(content.codes.z)
    whole = f"{count:,}" if count == len(drawn.points) else f"{count:,} of {len(drawn.points):,}"
    return " ".join(filter(None, [f"It shows {whole} {request.split} images.", refused]))


def _whole_map(run: Run, request: MapRequest, report: Report) -> Map:
    """The stored map, or a newly computed one; a map stopped here is removed."""
    kept = results.kept_map(run, request)
    try:
        return kept or results.project(run, request, report)
    except Stopped:
        results.drop_map(run, request)
        raise


def default_map(run: Run) -> MapRequest:
    """t-SNE of the test images' codes, or PCA if they have few dimensions or are too few."""
    config = run.config()
    count = config.data.splits["test"]
    method = "pca" if config.model.latent_dim <= 2 or count < FEWEST_POINTS else "tsne"
    return MapRequest(method=method, limit=MOST_POINTS if count > MOST_POINTS else None)


def gather(run: Run, request: MapRequest, drawn: Map, dataset: Dataset, report: Report) -> PageContent:
    """The images of the points, reconstructed and reduced; of too many points, the first of a fixed shuffle."""
    coded = results.codes(run, request.split).first(request.limit)
    rows = np.sort(np.random.default_rng(0).permutation(len(coded.z))[:MOST_POINTS])
    coded = coded.at(rows)
    drawn = replace(drawn, points=drawn.points[rows], labels=drawn.labels[rows], index=drawn.index[rows])
    x, x_hat, mse = [], [], []

    def report_rebuilt(done: int, total: int) -> None:
        report(done, total, "Reconstructing images")

    for part in reconstruct(
        results.model_of(run), dataset.images, drawn.index, labels=coded.condition, on_step=report_rebuilt
    ):
        mse.append(np.square(part.x_hat - pictures.to_unit(part.x)).mean(axis=(1, 2, 3)))
        x.append(scene.downsampled(part.x, SIDE))
        x_hat.append(scene.downsampled(pictures.to_pixels(part.x_hat), SIDE))
    return PageContent(drawn, coded, np.concatenate(x), np.concatenate(x_hat), np.concatenate(mse))


def packed_decoder(run: Run, drawn: Map) -> tuple[bytes | None, str]:
    """The decoder for the browser, or the reason why there is none."""
    if drawn.points.shape[1] != 2:
        return None, "In 3-D nothing is decoded under the pointer."
    try:
        return pack_decoder(run.load()), ""
    except AevizError as error:
        return None, f"Nothing is decoded under the pointer: {error}"


def page(
    run: Run, request: MapRequest, content: PageContent, quality: dict[str, Any], decoder: bytes | None, report: Report
) -> str:
    """The complete page."""
    carried, colours = _figures(run, content)
    carried |= _tiles(content, report)
    report(0, 0, "Finding neighbours")
    carried["near"] = _neighbours(content)
    report(0, 0, "Writing the page")
    if decoder is not None:
        carried["inverse"] = pack(_inverse(run, content))
        carried["decoder"] = decoder
    code = [scene.script(), (PAGE / "page.js").read_text()]
    plotly_js = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return Template((PAGE / "page.html").read_text()).substitute(
        title=html.escape(readable(run.title())),
        facts=html.escape(_facts(run)),
        note=html.escape(run.note().note),
        quality=html.escape(_quality(request, content, quality)),
        style=scene.style() + (PAGE / "page.css").read_text(),
        scene=json_in_html(_scene(run, content, colours, decoder is not None)),
        carried=json_in_html({address: base64.b64encode(content).decode() for address, content in carried.items()}),
        plotly=script_in_html(plotly_js.read_text(encoding="utf-8")),
        script=script_in_html("\n".join(code)),
    )


def _inverse(run: Run, content: PageContent) -> dict[str, Any]:
    """The inverse transform from a position on the map to a code."""
    drawn, codes = content.drawn, content.codes
    return scene.inverse_of(drawn.projection, drawn.points, codes.z, codes.condition, results.model_of(run).n_classes)


def _scene(run: Run, content: PageContent, colours: list[dict[str, Any]], decodes: bool) -> dict[str, Any]:
    """The scene as `map.js` and `page.js` read it."""
    config, shape = run.config(), content.x.shape[1:]
    decode = {"inverse": "inverse", "decoder": "decoder", "server": None, "shape": config.data.shape}
    values = Scene(
        space=run.id,
        figure=colours[0]["figure"],
        dims=content.drawn.points.shape[1],
        size=len(content.drawn.points),
        height=HEIGHT,
        tool="pan",
        classes=config.data.classes,
        pictures={"tile": "tile", "per": scene.per_tile(shape), "shape": shape, "rows": content.drawn.index.tolist()},
        near="near",
        decode=decode if decodes else None,
    ).to_json()
    return values | {"colours": colours, "said": SAID}


def _figures(run: Run, content: PageContent) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """The figures of all colours by address, and the list of colours for the page."""
    drawn, classes = content.drawn, run.config().data.classes
    offered: list[tuple[str, np.ndarray, tuple[str, ...] | None]] = [("Error", content.mse, None)]
    if classes:
        offered.insert(0, ("Label", drawn.labels, classes))
    carried, colours = {}, []
    for label, values, names in offered:
        figure = plots.latent_scatter(
            drawn.points, values, class_names=names, colour_label="MSE per pixel", index=drawn.index, height=HEIGHT,
            axis_labels=[str(name) for name in drawn.notes.get("axes", [])],
        )  # fmt: skip
        figure.update_layout(height=None)  # fills its container
        address = f"figure/{label}"
        carried[address] = pack_figure(figure)
        colours.append({"label": label, "figure": address, "names": scene.names_of(drawn.points, values, names)})
    return carried, colours


def _tiles(content: PageContent, report: Report) -> dict[str, bytes]:
    """Tiles of thumbnails by address."""
    per = scene.per_tile(content.x.shape[1:])
    carried = {}
    for number, start in enumerate(range(0, len(content.x), per)):
        report(start, len(content.x), "Drawing thumbnails")
        part = slice(start, start + per)
        tile = scene.tile(
            content.x[part], content.x_hat[part], content.drawn.labels[part], content.mse[part], lossless=False
        )
        carried[f"tile/{number}"] = pack(tile)
    return carried


def _neighbours(content: PageContent) -> bytes:
    """The rows with the nearest codes, per point."""
    _, places = own_nearest(content.codes.z, NEIGHBOURS)
    return pack({"count": places.shape[1], "rows": content.drawn.index[places].ravel().astype(np.int32)})


def _facts(run: Run) -> str:
    """What was trained on what, and its reconstruction quality."""
    config, psnr = run.config(), run.psnr()
    how_well = f"; {psnr:.1f} dB on validation images" if psnr is not None else ""
    model = run.load()
    return f"{model.label} with {model.latent_dim} numbers per code, trained on {readable(set_label(config.data.name))}{how_well}"


def _quality(request: MapRequest, content: PageContent, quality: dict[str, Any]) -> str:
    """Which map it is, and how far it can be trusted."""
    words = {
        "trustworthiness": "trustworthiness", "continuity": "continuity", "knn_map": "10-NN accuracy on the map",
        "knn_codes": "in the codes",
    }  # fmt: skip
    known = [f"{word} {quality[name]:.3f}" for name, word in words.items() if quality[name] is not None]
    shown_as = (
        f"{projection(request.method).label} of the codes of {len(content.drawn.points):,} {request.split} images"
    )
    return " · ".join([shown_as, *known, "made with aeviz; this page needs no network"])

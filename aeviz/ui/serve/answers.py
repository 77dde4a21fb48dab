"""The endpoints' handlers: functions from a request to a response.

The caches of `ui/cache.py` are imported on first use: Streamlit warns about caches created without a server.
"""

import functools
import gzip
import json
from pathlib import Path

import numpy as np
import plotly
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from aeviz import files, results
from aeviz.data import pictures
from aeviz.errors import MissingData
from aeviz.latent.encode import decode as decode_with
from aeviz.plots.packed import pack
from aeviz.runs import Run, list_runs
from aeviz.ui.serve import thumbnails
from aeviz.ui.serve.blobs import blobs
from aeviz.ui.serve.density import density as density_of
from aeviz.ui.serve.routes import BYTES, FOREVER, FRESH, script_answer

MOST_CODES = 1024  # per request


@functools.lru_cache(1)
def packed_plotly() -> bytes:
    """The Plotly script, gzipped."""
    return gzip.compress((Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes(), 6)


def plotly_js(request: Request) -> Response:
    """The Plotly script of the Python package, compressed once."""
    return script_answer(request, packed_plotly())


def _run(request: Request) -> Run:
    """The run a URL names.

    Raises:
        MissingData: it does not exist or its weights have changed since the URL was made.
    """
    asked = request.path_params
    run = next((run for run in list_runs() if run.id == asked["run"]), None)
    if run is None or ("mark" in asked and run.weights_id() != asked["mark"]):
        raise MissingData("the run {run} has changed or no longer exists; reload the page", run=asked["run"])
    return run


def tile(request: Request) -> Response:
    """Images of a tile with their reconstructions, labels and errors."""
    tile = thumbnails.tile(_run(request), request.path_params["number"])
    return Response(pack(tile), media_type=BYTES, headers=FOREVER | {"content-encoding": "identity"})


def sheet(request: Request) -> Response:
    """Images of chosen rows (base 36, separated by dots) as one picture."""
    rows = [int(row, 36) for row in request.query_params.get("rows", "").split(".") if row.isalnum()]
    picture = thumbnails.sheet(_run(request), np.array(rows[: thumbnails.MOST_ON_SHEET], np.int64))
    return Response(picture, media_type="image/webp", headers=FOREVER)


def near(request: Request) -> Response:
    """The nearest rows of a row, in latent space and in pixels, as JSON."""
    from aeviz.ui import cache

    asked = request.path_params
    run = _run(request)
    rows = results.nearest_images(run, asked["split"], asked["row"], dataset=cache.images_of(run))
    found = {"latent": rows.latent_rows.tolist(), "pixels": rows.pixel_rows.tolist()}
    return JSONResponse(found, headers=FOREVER)


def density(request: Request) -> Response:
    """Counts of a map's points by cell, for a rectangle of the map."""
    points, colour = (blobs().get(request.path_params[name]) for name in ("points", "colour"))
    if points is None:
        return Response("no longer kept", 404, headers=FRESH)
    asked = {name: float(request.query_params[name]) for name in ("x0", "x1", "y0", "y1", "width", "height")}
    return Response(pack(density_of(points, colour, **asked)), media_type=BYTES, headers=FOREVER)


def frame(request: Request) -> Response:
    """The latest frame of a map under computation, if it is newer than the client's."""
    run, job = _run(request), request.path_params["job"]
    frame = results.FrameFile(run.results / "jobs" / files.safe_name(job)).read()
    if frame is None or str(frame.iteration) == request.query_params.get("after"):
        return Response(status_code=204, headers=FRESH)
    shown = {"iteration": frame.iteration, "points": frame.points.astype(np.float32).ravel()}
    return Response(pack(shown), media_type=BYTES, headers=FRESH)


def decode(request: Request, body: bytes) -> Response:
    """Decode codes (n, D) float32 to pixels (n, C, H, W) uint8, for decoders a browser cannot run.

    For a conditional network the class shares follow each code: (n, D + K + 1).
    """
    from aeviz.ui import cache

    model = cache.model(_run(request))
    dims, classes = model.latent_dim, model.n_classes
    width = 4 * (dims + (classes + 1 if classes else 0))
    if not body or len(body) % width or len(body) > MOST_CODES * width:
        return Response(json.dumps({"error": f"expected 1 to {MOST_CODES} codes of {width} bytes"}), 400)
    codes = np.frombuffer(body, "<f4").reshape(-1, width // 4)
    x_hat = decode_with(model, codes[:, :dims], labels=codes[:, dims:] if classes else None)
    return Response(pictures.to_pixels(x_hat).tobytes(), media_type=BYTES, headers=FRESH)

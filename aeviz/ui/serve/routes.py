"""The answers themselves, each a plain function from a request to bytes.

These modules are imported before the server runs, and what pages keep (`ui/cache.py`) only when it is first asked for:
Streamlit complains of every cache that is made without a server.
"""

import functools
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import plotly
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from aeviz import files, results
from aeviz.data import pictures
from aeviz.errors import AevizError, MissingData
from aeviz.latent.encode import decode
from aeviz.plots.packed import pack
from aeviz.runs import Run, list_runs
from aeviz.ui.serve import thumbnails
from aeviz.ui.serve.addresses import address
from aeviz.ui.serve.blobs import blobs
from aeviz.ui.serve.density import density

FOREVER = {"cache-control": "private, max-age=31536000, immutable"}  # for what its address names whole
FRESH = {"cache-control": "no-store"}
MOST_CODES = 1024  # decoded at once for a browser that cannot do it itself
BYTES = "application/octet-stream"


def routes() -> list[BaseRoute]:
    """Everything a browser may ask for by itself."""
    run = "{run}/{mark}"
    asked: dict[str, Callable[[Request], Response]] = {
        "plotly.js": _plotly,
        "blob/{name}": _blob,
        f"tile/{run}/{{number:int}}": _tile,
        f"sheet/{run}": _sheet,
        f"near/{run}/{{split}}/{{row:int}}": _near,
        "density/{points}/{colour}": _density,
        "frame/{run}/{job}": _frame,
    }
    posted = {f"decode/{run}": _decode}
    return [
        *(Route(address(path), _guarded(answer)) for path, answer in asked.items()),
        *(Route(address(path), _guarded_body(answer), methods=["POST"]) for path, answer in posted.items()),
    ]


def _guarded(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Only for hosts the server speaks for; what a person's address got wrong is said, and nothing else."""

    def guarded(request: Request) -> Response:
        if not is_host_allowed(request.headers.get("host")):
            return Response("this host is not in server.allowedHosts", 403)
        try:
            return answer(request)
        except AevizError as error:
            return JSONResponse({"error": str(error)}, 404, headers=FRESH)

    return guarded


def _guarded_body(answer: Callable[[Request, bytes], Response]) -> Any:
    async def guarded(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(_guarded(lambda asked: answer(asked, body)), request)

    return guarded


@functools.lru_cache(1)
def _plotly_packed() -> bytes:
    return gzip.compress((Path(plotly.__file__).parent / "package_data" / "plotly.min.js").read_bytes(), 6)


def _plotly(request: Request) -> Response:
    """Plotly as its Python package carries it, packed once."""
    packed = _plotly_packed()
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type="text/javascript", headers=FOREVER | {"content-encoding": "gzip"})
    return Response(gzip.decompress(packed), media_type="text/javascript", headers=FOREVER)


def _blob(request: Request) -> Response:
    content = blobs().get(request.path_params["name"])
    if content is None:
        return Response("no longer kept", 404, headers=FRESH)
    # Said to be packed already: floats hardly shrink, and packing them takes longer than sending them.
    return Response(content, media_type=BYTES, headers=FOREVER | {"content-encoding": "identity"})


def _run(request: Request) -> Run:
    """The run an address names, if its weights are still those the address was made for."""
    asked = request.path_params
    run = next((run for run in list_runs() if run.id == asked["run"]), None)
    if run is None or ("mark" in asked and run.weights_mark() != asked["mark"]):
        raise MissingData("the run {run} has changed or is gone; look again", run=asked["run"])
    return run


def _tile(request: Request) -> Response:
    tile = thumbnails.tile(_run(request), request.path_params["number"])
    return Response(pack(tile), media_type=BYTES, headers=FOREVER | {"content-encoding": "identity"})


def _sheet(request: Request) -> Response:
    rows = [int(row, 36) for row in request.query_params.get("rows", "").split(".") if row.isalnum()]
    picture = thumbnails.sheet(_run(request), np.array(rows[: thumbnails.MOST_ON_SHEET], np.int64))
    return Response(picture, media_type="image/webp", headers=FOREVER)


def _near(request: Request) -> Response:
    from aeviz.ui import cache

    asked = request.path_params
    run = _run(request)
    near = results.near(run, asked["split"], asked["row"], dataset=cache.images_of(run))
    found = {"latent": near.latent_rows.tolist(), "pixels": near.pixel_rows.tolist()}
    return JSONResponse(found, headers=FOREVER)


def _density(request: Request) -> Response:
    points, colour = (blobs().get(request.path_params[name]) for name in ("points", "colour"))
    if points is None:
        return Response("no longer kept", 404, headers=FRESH)
    asked = {name: float(request.query_params[name]) for name in ("x0", "x1", "y0", "y1", "width", "height")}
    return Response(pack(density(points, colour, **asked)), media_type=BYTES, headers=FOREVER)


def _frame(request: Request) -> Response:
    """The latest picture of a map that is being computed, if it is newer than the one that is here."""
    run, job = _run(request), request.path_params["job"]
    frame = results.FrameFile(run.results / "jobs" / files.safe_name(job)).read()
    if frame is None or str(frame.iteration) == request.query_params.get("after"):
        return Response(status_code=204, headers=FRESH)
    shown = {"iteration": frame.iteration, "points": frame.points.astype(np.float32).ravel()}
    return Response(pack(shown), media_type=BYTES, headers=FRESH)


def _decode(request: Request, body: bytes) -> Response:
    """Codes (n, D) float32 to pixels (n, C, H, W) uint8, for decoders a browser cannot run.

    For a conditional network the shares of the classes stand behind each code, (n, D + K + 1).
    """
    from aeviz.ui import cache

    model = cache.model(_run(request))
    dims, classes = model.latent_dim, model.n_classes
    width = 4 * (dims + (classes + 1 if classes else 0))
    if not body or len(body) % width or len(body) > MOST_CODES * width:
        return Response(json.dumps({"error": f"expected 1 to {MOST_CODES} codes of {width} bytes"}), 400)
    codes = np.frombuffer(body, "<f4").reshape(-1, width // 4)
    x_hat = decode(model, codes[:, :dims], labels=codes[:, dims:] if classes else None)
    return Response(pictures.to_pixels(x_hat).tobytes(), media_type=BYTES, headers=FRESH)

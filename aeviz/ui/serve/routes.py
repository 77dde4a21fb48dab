"""The routes of our endpoints; handlers are imported on the first request, to keep the server's start fast."""

import gzip
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from aeviz.errors import AevizError
from aeviz.ui import warm
from aeviz.ui.serve import scripts
from aeviz.ui.serve.addresses import address
from aeviz.ui.serve.blobs import blobs

FRESH = {"cache-control": "no-store"}
FOREVER = {"cache-control": "private, max-age=31536000, immutable"}  # for content that its URL identifies
BYTES = "application/octet-stream"
PICTURES = {b"RIFF": "image/webp", b"\x89PNG": "image/png"}  # by first bytes; packed values begin with a length


def routes() -> list[BaseRoute]:
    """All routes beside Streamlit's own."""
    run = "{run}/{mark}"
    asked = {
        "plotly.js": "plotly_js",
        f"tile/{run}/{{number:int}}": "tile",
        f"sheet/{run}": "sheet",
        f"near/{run}/{{split}}/{{row:int}}": "near",
        "density/{points}/{colour}": "density",
        "frame/{run}/{job}": "frame",
    }
    posted = {f"decode/{run}": "decode"}
    return [
        Route(address("script/{name}.js"), _guarded(script)),
        Route(address("blob/{name}"), _guarded(blob)),
        *(Route(address(path), _guarded(_answer(name))) for path, name in asked.items()),
        *(Route(address(path), _guarded_body(_answer(name)), methods=["POST"]) for path, name in posted.items()),
    ]


def script(request: Request) -> Response:
    """A component's script; waits for the warm-up only if it is not registered yet, as after a server restart."""
    name = request.path_params["name"]
    if not scripts.is_known(name):
        warm.everything()
    if not scripts.is_known(name):
        return Response("no script of this version", 404, headers=FRESH)
    return script_answer(request, scripts.packed(name))


def blob(request: Request) -> Response:
    """Bytes of the blob store; does not wait for the warm-up, because the first page has images."""
    content = blobs().get(request.path_params["name"])
    if content is None:
        return Response("no longer kept", 404, headers=FRESH)
    kind = next((kind for begin, kind in PICTURES.items() if content.startswith(begin)), BYTES)
    # Declared as encoded, so that no middleware compresses it: floats hardly shrink, and it would take longer.
    return Response(content, media_type=kind, headers=FOREVER | {"content-encoding": "identity"})


def script_answer(request: Request, packed: bytes) -> Response:
    """A response with gzipped JavaScript, decompressed if the browser does not accept gzip."""
    kept = FOREVER | {"vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, media_type="text/javascript", headers=kept | {"content-encoding": "gzip"})
    return Response(gzip.decompress(packed), media_type="text/javascript", headers=kept)


def _answer(name: str) -> Callable[..., Response]:
    """A handler of `answers` by name, called after the warm-up."""

    def answered(*asked: Any) -> Response:
        warm.everything()
        from aeviz.ui.serve import answers

        found: Response = getattr(answers, name)(*asked)
        return found

    return answered


def _guarded(answer: Callable[[Request], Response]) -> Callable[[Request], Response]:
    """Wrap a handler: answer an `AevizError` with 404 and its message."""

    def guarded(request: Request) -> Response:
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

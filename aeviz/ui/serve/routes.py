"""Which answer stands at which address; the answers themselves are imported when the first is asked for, not to hold up a start."""

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from aeviz.errors import AevizError
from aeviz.ui import warm
from aeviz.ui.serve.addresses import address

FRESH = {"cache-control": "no-store"}


def routes() -> list[BaseRoute]:
    """Everything a browser may ask for by itself."""
    run = "{run}/{mark}"
    asked = {
        "plotly.js": "plotly_js",
        "blob/{name}": "blob",
        f"tile/{run}/{{number:int}}": "tile",
        f"sheet/{run}": "sheet",
        f"near/{run}/{{split}}/{{row:int}}": "near",
        "density/{points}/{colour}": "density",
        "frame/{run}/{job}": "frame",
    }
    posted = {f"decode/{run}": "decode"}
    return [
        *(Route(address(path), _guarded(_answer(name))) for path, name in asked.items()),
        *(Route(address(path), _guarded_body(_answer(name)), methods=["POST"]) for path, name in posted.items()),
    ]


def _answer(name: str) -> Callable[..., Response]:
    """A function of `answers`, once everything it needs is imported."""

    def answered(*asked: Any) -> Response:
        warm.everything()
        from aeviz.ui.serve import answers

        found: Response = getattr(answers, name)(*asked)
        return found

    return answered


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

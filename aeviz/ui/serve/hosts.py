"""Refuse requests under names that the server does not answer to, and explain it to the browser."""

import html

import streamlit as st
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from aeviz.ui.serve.addresses import base_path
from aeviz.ui.streamlit_internals import is_host_allowed

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>aeviz is not served under this name</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 12vh auto; padding: 0 1.5rem }}
h1 {{ font-size: 1.4rem }}
code {{ background: color-mix(in srgb, currentColor 9%, transparent); padding: .15em .4em; border-radius: 4px }}
</style>
<h1>aeviz is not served under this name</h1>
<p>You asked for <code>{host}</code>; this server only answers to {allowed}.</p>
<p>To reach it from other machines, stop it and start it with <code>make serve HOST={name}</code>, then reload this page.
Everyone who can open that address can then use this aeviz, its data and its runs: it has no passwords.</p>
</html>"""


class HostGuard:
    """Middleware that refuses requests under a name outside `server.allowedHosts`, with a page that explains it.

    It guards our own endpoints. Streamlit checks the name for its websocket only: it sends the page, and the browser
    shows "connecting" for ever.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on allowed requests, websockets, and Streamlit's own checks, which load balancers call by any name."""
        if scope["type"] == "http" and not scope["path"].startswith(f"{base_path()}/_stcore/"):
            host = Request(scope).headers.get("host")
            if not is_host_allowed(host):
                await HTMLResponse(explanation(host or ""), 403)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def explanation(host: str) -> str:
    """The page for a browser that came to this `Host`, with the port it may hold."""
    allowed = ", ".join(f"<code>{html.escape(name)}</code>" for name in st.get_option("server.allowedHosts"))
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return PAGE.format(host=html.escape(host), allowed=allowed, name=html.escape(name))

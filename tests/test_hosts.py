"""A server reached under a name it does not answer to explains so, with the line that changes it."""

import asyncio

import pytest

from aeviz.ui.serve.hosts import HostGuard


def asked(path, host, kind="http"):
    """What the guard sends for a request: status and text, or "passed on"."""
    sent = []

    async def inner(scope, receive, send):
        sent.append("passed on")

    async def send(message):
        sent.append(message)

    scope = {"type": kind, "path": path, "method": "GET", "headers": [(b"host", host.encode())]}
    asyncio.run(HostGuard(inner)(scope, None, send))
    return sent[0] if sent[0] == "passed on" else (sent[0]["status"], sent[1]["body"].decode())


@pytest.fixture(autouse=True)
def allowed():
    from streamlit import config

    before = config.get_option("server.allowedHosts")
    config.set_option("server.allowedHosts", ["localhost", "127.0.0.1"])
    yield
    config.set_option("server.allowedHosts", before)


@pytest.mark.parametrize("host", ["localhost:8501", "127.0.0.1"])
def test_an_allowed_name_is_passed_on(host):
    assert asked("/", host) == "passed on"


@pytest.mark.parametrize("path", ["/", "/map", "/static/x.js", "/aeviz/blob/0", "/aeviz/_stcore/health"])
def test_another_name_is_explained_with_what_would_serve_it(path):
    status, text = asked(path, "lab-7:8501")
    assert status == 403
    assert "<code>lab-7:8501</code>" in text
    assert "<code>localhost</code>, <code>127.0.0.1</code>" in text
    assert "make serve HOST=lab-7<" in text


def test_health_checks_and_websockets_are_left_to_streamlit():
    assert asked("/_stcore/health", "10.0.0.7") == asked("/", "lab-7", kind="websocket") == "passed on"


def test_health_checks_are_found_below_a_base_path(monkeypatch):
    monkeypatch.setattr(
        "aeviz.ui.serve.addresses.st.get_option", lambda name: "lab/" if "base" in name else ["localhost"]
    )
    assert asked("/lab/_stcore/health", "10.0.0.7") == "passed on"
    assert asked("/_stcore/health", "10.0.0.7")[0] == 403


def test_a_name_is_text():
    assert "<b>" not in asked("/", "<b>lab</b>")[1]

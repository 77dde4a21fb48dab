"""Decoding: a code's picture by the page's own script in a real browser, by torch, and by asking a server for it."""

import base64
import contextlib
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
import uvicorn
from playwright.sync_api import Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from aeviz.export.page.decoder import pack_decoder
from aeviz.models import Autoencoder, build, model_config
from bench.measure import Say, counted, interleave, median_and_range, ratio
from bench.table import Table
from bench.training import BODIES, LATENT_DIM
from tests.browser.find import find_browser

SCRIPT = Path(__file__).resolve().parents[1] / "static" / "codes" / "decoder.js"
NETWORKS: dict[str, dict[str, Any]] = {
    "dense, 28 x 28": {"body": BODIES["dense"], "sample_shape": (1, 28, 28)},
    "conv, 28 x 28": {"body": BODIES["conv"], "sample_shape": (1, 28, 28)},
    "conv, 64 x 64 colour": {"body": BODIES["conv"], "sample_shape": (3, 64, 64)},
    "residual, 64 x 64 colour": {"body": {"name": "residual"}, "sample_shape": (3, 64, 64)},
}
AIM = 50  # frames a second
SECONDS = 0.5
CODES = 64
HEADER = ("network", "kB", "browser, ms", "frames/s", "torch, ms", "server, ms", "off by", "ratio")
# The browser's clock is coarse, so many pictures are timed as one; of the frames, each shows another code's picture.
PREPARE = """({ packed, codes, address, dim }) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
  const all = new Float32Array(bytes(codes).buffer)
  const decoder = readDecoder(bytes(packed))
  const canvas = Object.assign(document.createElement("canvas"), { width: 256, height: 256 })
  document.body.replaceChildren(canvas)
  const context = canvas.getContext("2d")
  const code = (number) => { const at = (number * dim) % all.length; return all.subarray(at, at + dim) }
  const timed = async (seconds, work) => {
    const started = performance.now()
    let done = 0
    while (performance.now() - started < 1000 * seconds) await work(code(done++))
    return (performance.now() - started) / done
  }
  const ask = async (body) => (await fetch(address, { method: "POST", body })).arrayBuffer()
  window.inPage = (seconds) => timed(seconds, (z) => { decoder.decode(z) })
  window.byServer = (seconds) => timed(seconds, ask)
  window.frames = (seconds) => new Promise((tell) => {
    let started, drawn = 0
    const draw = (now) => {
      started ??= now
      if (now - started >= 1000 * seconds) return tell((1000 * drawn) / (now - started))
      paintSample(context, decoder.decode(code(drawn++)), decoder.shape)
      requestAnimationFrame(draw)
    }
    requestAnimationFrame(draw)
  })
  return [...decoder.decode(code(0))]
}"""


class Decoded(NamedTuple):
    """One network: milliseconds a picture (repeats,) by each side, frames drawn a second, and what else is told."""

    network: str
    kilobytes: float
    off_by: float
    browser: list[float]
    frames: list[float]
    torch: list[float]
    server: list[float]


def make(settings: dict[str, Any]) -> Autoencoder:
    """A network with the weights it begins with: what they are makes no difference to the clock."""
    torch.manual_seed(0)
    return build(model_config({"latent_dim": LATENT_DIM, **settings})).eval()


def measure(repeats: int, say: Say, seconds: float = SECONDS) -> list[Decoded]:
    """All networks, each side for so many seconds a repeat; torch with one thread."""
    torch.set_num_threads(1)
    models = {name: make(settings) for name, settings in NETWORKS.items()}
    with serving(list(models.values())) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(address)
        page.add_script_tag(path=SCRIPT)
        found = []
        for number, (name, model) in enumerate(models.items()):
            say(f"decoding: {name}")
            found.append(_measure(page, name, model, f"/decode/{number}", repeats, seconds))
        browser.close()
    return found


@torch.inference_mode()
def _measure(page: Page, name: str, model: Autoencoder, address: str, repeats: int, seconds: float) -> Decoded:
    codes, packed = torch.randn(CODES, model.latent_dim), pack_decoder(model)
    told = {"packed": _text(packed), "codes": _text(codes.numpy().tobytes())}
    first = page.evaluate(PREPARE, told | {"address": address, "dim": model.latent_dim})
    off_by = float((torch.tensor(first) - model.decode(codes[:1]).flatten()).abs().max())
    sides = [
        lambda: float(page.evaluate("inPage", seconds)),
        lambda: float(page.evaluate("frames", seconds)),
        lambda: _by_torch(model, codes, seconds),
        lambda: float(page.evaluate("byServer", seconds)),
    ]
    for side in sides:
        side()
    return Decoded(name, len(packed) / 1000, off_by, *interleave(sides, repeats))


def _by_torch(model: Autoencoder, codes: torch.Tensor, seconds: float) -> float:
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        at = done % CODES
        model.decode(codes[at : at + 1])
        done += 1
    return 1000 * (time.perf_counter() - started) / done


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


@contextlib.contextmanager
def serving(models: list[Autoencoder]) -> Iterator[str]:
    """A server of the kind the app runs on, with nothing else to do: an empty page, and pictures for codes (n, D)."""

    async def decode(request: Request) -> Response:
        model, content = models[request.path_params["number"]], bytearray(await request.body())
        with torch.inference_mode():
            x_hat = model.decode(torch.frombuffer(content, dtype=torch.float32).reshape(-1, model.latent_dim))
            return Response((255 * x_hat).round().to(torch.uint8).numpy().tobytes())

    async def page(request: Request) -> Response:
        return HTMLResponse("<!doctype html><title>aeviz</title>")

    app = Starlette(routes=[Route("/", page), Route("/decode/{number:int}", decode, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    finally:
        server.should_exit = True
        thread.join()


def table(found: list[Decoded]) -> Table:
    """A row per network; the ratio is of the server's time by the browser's."""
    rows = []
    for each in found:
        rows.append((
            each.network, f"{each.kilobytes:,.0f}", median_and_range(each.browser, _milliseconds),
            f"{statistics.median(each.frames):.0f}", _milliseconds(statistics.median(each.torch)),
            median_and_range(each.server, _milliseconds), f"{each.off_by:.0e}",
            f"{ratio(each.server, each.browser):.1f}",
        ))  # fmt: skip
    repeats = counted(len(found[0].browser), "interleaved repeat")
    title = f"Decoding: one code at a time, latent {LATENT_DIM}; aims at {AIM} frames/s; medians of {repeats}; 1 thread"
    return Table(title, HEADER, rows)


def _milliseconds(value: float) -> str:
    return f"{value:.2f}"

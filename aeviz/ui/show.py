"""Show images without recompression."""

import base64
import hashlib
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import numpy as np
import streamlit as st

from aeviz import files
from aeviz.data import pictures
from aeviz.ui import words
from aeviz.ui.serve.blobs import keep

WEBP = b"RIFF"


def picture(content: bytes, alt: str, width: int | Literal["stretch"] = "stretch") -> None:
    """Show a PNG or WebP unchanged, as a `data:` URL.

    Streamlit would recompress bytes as JPEG, which blurs pixel edges, and would drop an image that is replaced while
    the browser fetches it.
    """
    st.image(address(content), width=width, alt=alt)


def state_badge(state: str) -> None:
    """Show the state of a run."""
    name, colour, icon = words.STATES[state]
    st.badge(name, icon=icon, color=colour)  # type: ignore[arg-type]


def cached_picture(content: bytes, alt: str, width: int | Literal["stretch"] = "stretch") -> None:
    """Show a PNG or WebP that many script runs repeat: the browser fetches it once and caches it by content."""
    st.image(_fetched(content) or address(content), width=width, alt=alt)


@files.cached_by_stat(most=64)
def cached_bytes(path: Path) -> bytes:
    """Read a small file, cached until it changes."""
    return path.read_bytes()


def _fetched(content: bytes) -> str | None:
    """Absolute URL of an image (Streamlit accepts no relative ones), or None if the browser's URL is unknown."""
    page = urlsplit(st.context.url or "")
    if page.scheme not in ("http", "https"):
        return None
    path = keep(f"picture {hashlib.sha256(content).hexdigest()}", lambda: content)
    return f"{page.scheme}://{page.netloc}{path}"


def address(content: bytes) -> str:
    """A PNG or WebP as a `data:` URL."""
    kind = "webp" if content.startswith(WEBP) else "png"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def image(pixels: np.ndarray) -> str:
    """An image (C, H, W) uint8 as a `data:` URL, unscaled."""
    return address(pictures.encode_png(pictures.mosaic(pixels[None], columns=1, gap=0)))

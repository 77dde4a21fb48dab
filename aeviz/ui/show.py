"""Pictures on screen, pixel for pixel."""

import base64
import hashlib
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import numpy as np
import streamlit as st

from aeviz import files
from aeviz.data import pictures
from aeviz.ui.serve import keep

WEBP = b"RIFF"


def picture(content: bytes, alt: str, width: int | Literal["stretch"] = "stretch") -> None:
    """Show a PNG or WebP as it is.

    As an address of its own content: Streamlit would store bytes anew as JPEG, which blurs hard pixel edges, and a
    picture that is replaced while the browser fetches it would be gone.
    """
    st.image(address(content), width=width, alt=alt)


def lasting_picture(content: bytes, alt: str, width: int | Literal["stretch"] = "stretch") -> None:
    """Show a PNG or WebP that stands on many runs of the page: the browser fetches it once, by its content."""
    st.image(_fetched(content) or address(content), width=width, alt=alt)


@files.cached_by_stat(most=64)
def kept_bytes(path: Path) -> bytes:
    """A small file that stands on every page, read when it has changed."""
    return path.read_bytes()


def _fetched(content: bytes) -> str | None:
    """Where the browser fetches a picture: Streamlit takes whole addresses only. None while the browser's is not known."""
    page = urlsplit(st.context.url or "")
    if page.scheme not in ("http", "https"):
        return None
    path = keep(f"picture {hashlib.sha256(content).hexdigest()}", lambda: content)
    return f"{page.scheme}://{page.netloc}{path}"


def address(content: bytes) -> str:
    """A PNG or WebP as a `data:` address."""
    kind = "webp" if content.startswith(WEBP) else "png"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def image(pixels: np.ndarray) -> str:
    """An image (C, H, W) uint8 as a `data:` address, one pixel each."""
    return address(pictures.encode_png(pictures.mosaic(pixels[None], columns=1, gap=0)))

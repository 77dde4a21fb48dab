"""Pictures on screen, pixel for pixel."""

import base64
from typing import Literal

import numpy as np
import streamlit as st

from aeviz.data import pictures

WEBP = b"RIFF"


def picture(content: bytes, alt: str, width: int | Literal["stretch"] = "stretch") -> None:
    """Show a PNG or WebP as it is.

    As an address of its own content: Streamlit would store bytes anew as JPEG, which blurs hard pixel edges, and a
    picture that is replaced while the browser fetches it would be gone.
    """
    st.image(address(content), width=width, alt=alt)


def address(content: bytes) -> str:
    """A PNG or WebP as a `data:` address."""
    kind = "webp" if content.startswith(WEBP) else "png"
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def image(pixels: np.ndarray) -> str:
    """An image (C, H, W) uint8 as a `data:` address, one pixel each."""
    return address(pictures.encode_png(pictures.mosaic(pixels[None], columns=1, gap=0)))

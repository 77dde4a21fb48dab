"""Pictures on screen, pixel for pixel."""

import base64
from typing import Literal

import streamlit as st

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

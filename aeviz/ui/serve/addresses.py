"""Where our own answers lie on the server."""

import streamlit as st

ROOM = "aeviz"


def address(*parts: object) -> str:
    """The path of an answer, as the browser asks for it and as the server knows it."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return "/" + "/".join(str(part) for part in (base, ROOM, *parts) if part != "")

"""URL paths of our own endpoints."""

import streamlit as st

PREFIX = "aeviz"


def address(*parts: object) -> str:
    """The URL path of an endpoint, including Streamlit's base path."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return "/" + "/".join(str(part) for part in (base, PREFIX, *parts) if part != "")

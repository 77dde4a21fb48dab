"""URL paths of our own endpoints."""

import streamlit as st

PREFIX = "aeviz"


def base_path() -> str:
    """Streamlit's base path with a leading slash, or nothing."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return base and f"/{base}"


def address(*parts: object) -> str:
    """The URL path of an endpoint, including Streamlit's base path."""
    return "/".join([base_path(), PREFIX, *(str(part) for part in parts if part != "")])

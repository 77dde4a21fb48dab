"""User-supplied text, made harmless for plain text, table cells, Python and HTML."""

import json
from typing import Any

FORMULA = ("=", "+", "-", "@")  # characters that begin a formula in spreadsheets


def readable(text: object) -> str:
    """A text as one line without control characters or direction overrides."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in str(text)).split())


def cell(text: object) -> str:
    """A text as a table cell: one line, and never a formula."""
    line = readable(text)
    return f"'{line}" if line.startswith(FORMULA) else line


def json_in_html(value: Any) -> str:
    """JSON that neither closes nor opens an element in HTML."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def script_in_html(source: str) -> str:
    """Our JavaScript, escaped so that it closes no element; the backslash is harmless in strings and patterns."""
    return source.replace("</script", "<\\/script").replace("<!--", "<\\!--")

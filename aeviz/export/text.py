"""What people named, made harmless where it is written down: lines of text, cells, Python and HTML."""

import json
from typing import Any

FORMULA = ("=", "+", "-", "@")  # what spreadsheets compute when a cell begins with it


def readable(text: object) -> str:
    """A text in one line, without control characters and without what turns the direction of writing."""
    return " ".join("".join(mark if mark.isprintable() else " " for mark in str(text)).split())


def cell(text: object) -> str:
    """A text as a cell of a table: one line, and never a formula."""
    line = readable(text)
    return f"'{line}" if line.startswith(FORMULA) else line


def json_in_html(value: Any) -> str:
    """JSON that ends no element and opens none wherever it stands in a page."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def script_in_html(source: str) -> str:
    """JavaScript of ours that ends no element; within strings and patterns the backslash changes nothing."""
    return source.replace("</script", "<\\/script").replace("<!--", "<\\!--")

"""Figures and other values that hold arrays, as bytes a browser reads without parsing numbers."""

import json
import struct
from typing import Any

import numpy as np

ALIGNED = 8  # bytes; a browser's typed arrays begin at multiples of their size
KINDS = {"f": "<f4", "i": "<i4", "b": "|u1"}


def pack(value: Any) -> bytes:
    """A JSON value that may hold arrays and bytes: length of its head (uint32), the head (JSON), the arrays.

    An array stands in the head as `{"$": [kind, offset, count]}`; numbers are float32 or int32, uint8 stays what it is.
    """
    parts: list[bytes] = []
    head = json.dumps(_without_arrays(value, parts), allow_nan=False).encode()
    begin = struct.pack("<I", len(head)) + head
    return b"".join([begin, _filling(len(begin)), *parts])


def pack_figure(figure: Any) -> bytes:
    """A Plotly figure, its arrays as they are drawn."""
    return pack({"data": [trace.to_plotly_json() for trace in figure.data], "layout": figure.layout.to_plotly_json()})


def _without_arrays(value: Any, parts: list[bytes]) -> Any:
    if isinstance(value, dict):
        return {str(name): _without_arrays(item, parts) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_arrays(item, parts) for item in value]
    if isinstance(value, bytes):
        value = np.frombuffer(value, np.uint8)
    if not isinstance(value, np.ndarray):
        return value
    kind = "|u1" if value.dtype == np.uint8 else KINDS[value.dtype.kind]
    content = np.ascontiguousarray(value, kind).tobytes()
    offset = sum(map(len, parts))
    parts += [content, _filling(len(content))]
    return {"$": [kind[1:], offset, value.size]}


def _filling(length: int) -> bytes:
    return bytes(-length % ALIGNED)

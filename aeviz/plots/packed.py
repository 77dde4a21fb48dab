"""Binary encoding of figures and other values with arrays, for browsers to read without parsing numbers."""

import json
import struct
from typing import Any

import numpy as np

ALIGNED = 8  # bytes; typed arrays in a browser must start at multiples of their item size
KINDS = {"f": "<f4", "i": "<i4", "b": "|u1"}


def pack(value: Any) -> bytes:
    """Encode a JSON value with arrays and bytes: header length (uint32), header (JSON), arrays.

    The header refers to an array as `{"$": [kind, offset, count]}`; arrays become float32 or int32, or stay uint8.
    """
    parts: list[bytes] = []
    head = json.dumps(_without_arrays(value, parts), allow_nan=False).encode()
    begin = struct.pack("<I", len(head)) + head
    return b"".join([begin, _padding(len(begin)), *parts])


def pack_figure(figure: Any) -> bytes:
    """Encode a Plotly figure."""
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
    parts += [content, _padding(len(content))]
    return {"$": [kind[1:], offset, value.size]}


def _padding(length: int) -> bytes:
    return bytes(-length % ALIGNED)

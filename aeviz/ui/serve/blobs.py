"""Bytes that a page has made ready for its browser, named by what they come from; the oldest are let go."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

import streamlit as st

from aeviz.ui.serve.addresses import address

MOST_BYTES = 256 * 2**20


class Blobs:
    """A shelf of bytes by name, of limited size; safe for several threads."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """The bytes of that name, if they are still here."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def put(self, name: str, content: bytes) -> None:
        """Keep bytes; the longest unused make room, but never these."""
        with self._lock:
            self._kept[name] = content
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > self.most:
                self._kept.popitem(last=False)


@st.cache_resource(show_spinner=False)
def blobs() -> Blobs:
    """One shelf for all visitors; names say what is in them, so what two need is here once."""
    return Blobs()


def keep(source: str, make: Callable[[], bytes]) -> str:
    """Where a browser fetches the bytes that come from `source`, a text that names all they depend on."""
    name = hashlib.sha256(source.encode()).hexdigest()[:24]
    if blobs().get(name) is None:
        blobs().put(name, make())
    return address("blob", name)

"""In-memory store of bytes for browsers to fetch, addressed by their source; least recently used are evicted."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable

import streamlit as st

from aeviz.ui.serve.addresses import address

MOST_BYTES = 256 * 2**20


class Blobs:
    """A thread-safe LRU cache of bytes by name, limited by total size."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self.most = most
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """The bytes of a name, or None if they were evicted."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def put(self, name: str, content: bytes) -> None:
        """Store bytes, evicting the least recently used others if needed."""
        with self._lock:
            self._kept[name] = content
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > self.most:
                self._kept.popitem(last=False)


@st.cache_resource(show_spinner=False)
def blobs() -> Blobs:
    """The store shared by all sessions."""
    return Blobs()


def keep(source: str, make: Callable[[], bytes]) -> str:
    """Store the bytes of `make` unless present, and return their URL path.

    `source` is a text that names everything the bytes depend on.
    """
    name = hashlib.sha256(source.encode()).hexdigest()[:24]
    if blobs().get(name) is None:
        blobs().put(name, make())
    return address("blob", name)

"""Returning memory that a process holds without needing it to the system."""

import contextlib
import ctypes
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

MAPPING = re.compile(r"(?P<start>[0-9a-f]+)-(?P<end>[0-9a-f]+) (?P<rights>\S+) \S+ \S+ \S+ +(?P<file>/.*)")


def trim_heap() -> None:
    """Return freed memory to the system; does nothing without glibc."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def release_memory() -> None:
    """Return freed memory, and pages of libraries that were only needed while loading.

    Importing torch reads 150 MB of CUDA's libraries once, to link them. These pages are unchanged copies of files; they
    are read again on demand. Does nothing except on Linux with glibc.
    """
    library = ctypes.CDLL(None)
    with contextlib.suppress(AttributeError, OSError):  # another system
        library.malloc_trim(0)
        for start, size in _unchanged_pages():
            library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(size), mmap.MADV_DONTNEED)


def _unchanged_pages() -> Iterator[tuple[int, int]]:
    """Start and size of mappings of libraries that are read-only and have no page that differs from the file.

    Only libraries: they stay mapped for good, while another file's address may hold something else by now.
    """
    for area in re.split(r"\n(?=[0-9a-f]+-)", Path("/proc/self/smaps").read_text()):
        mapping = MAPPING.match(area)
        if (
            mapping
            and ".so" in mapping["file"]
            and mapping["rights"] in ("r--p", "r-xp")
            and "Anonymous:             0 kB" in area
        ):
            start = int(mapping["start"], 16)
            yield start, int(mapping["end"], 16) - start

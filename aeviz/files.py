"""Files that are never half written: atomic replacement, append-only lines, locks, safe names and safe zips."""

import contextlib
import functools
import json
import os
import re
import stat
import tempfile
import threading
import time
import uuid
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, TypeVar

from aeviz.errors import BadArchive, BadFile, BadValue, NotNow

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

T = TypeVar("T")
YOUNG_NS = 100_000_000  # a file younger than this may be replaced again within one tick of the file system's clock
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
MAX_ARCHIVE_BYTES = 20 * 2**30
MAX_SWELLING = 200  # uncompressed over compressed size; photographs are near 1, text near 10


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file atomically: a reader sees the old content or the new, never a part."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file next to `path`; it replaces `path` when the block ends.

    Raises:
        BadFile: the file cannot be written.
    """
    if path.is_dir():
        raise BadFile("{path} is a folder; name a file to write to", path=path)
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield beside
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise BadFile("{path} cannot be written: {reason}", path=path, reason=error.strerror or error) from None


def sweep(folder: Path) -> None:
    """Remove what a killed writer left in a folder that nobody else writes to."""
    for left in folder.glob(".*.*"):
        if left.is_file():
            left.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Replace a file with strict JSON."""
    write_bytes(path, json.dumps(value, allow_nan=False, indent=1).encode())


def read_json(path: Path) -> Any:
    """The value in a JSON file, or None if the file does not exist."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None


def cached_by_stat(most: int) -> Callable[[Callable[[Path], T]], Callable[[Path], T]]:
    """Cache a reader of a file until the file changes; the returned value is shared and must not be modified.

    A change is detected by one stat (inode, size, times): as reliable as reading again, but cheaper.

    Args:
        most: how many files' contents are cached, least recently used first out.
    """

    def decorate(read: Callable[[Path], T]) -> Callable[[Path], T]:
        cache: OrderedDict[str, tuple[tuple[int, ...], T]] = OrderedDict()
        lock = threading.Lock()

        @functools.wraps(read)
        def cached(path: Path) -> T:
            name = str(path)
            try:
                now = os.stat(name)
            except OSError:
                return read(path)  # which reports a missing file in its own way
            state = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)
            with lock:
                known = cache.get(name)
                if known and known[0] == state:
                    cache.move_to_end(name)
                    return known[1]
            value = read(path)
            if time.time_ns() - max(now.st_mtime_ns, now.st_ctime_ns) > YOUNG_NS:
                with lock:
                    cache[name] = (state, value)
                    cache.move_to_end(name)
                    while len(cache) > most:
                        cache.popitem(last=False)
            return value

        return cached

    return decorate


def append_line(path: Path, value: Any) -> None:
    """Append one JSON line in a single write, so that lines of two writers never interleave."""
    line = json.dumps(value, allow_nan=False).encode() + b"\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line)
    finally:
        os.close(handle)


def read_lines(path: Path, start: int = 0) -> tuple[list[Any], int]:
    """The JSON lines from byte `start`, and where to continue reading.

    An incomplete last line is left for the next call; a corrupt one in the middle is skipped.
    """
    try:
        with open(path, "rb") as file:
            file.seek(start)
            content = file.read()
    except FileNotFoundError:
        return [], start
    whole = content.rfind(b"\n") + 1
    return [value for line in content[:whole].splitlines() for value in _parse_line(line)], start + whole


def _parse_line(line: bytes) -> list[Any]:
    try:
        return [json.loads(line)]
    except (ValueError, RecursionError):
        return []


def safe_name(name: str) -> str:
    """The name itself, if it is a valid and harmless folder name on every system.

    Raises:
        BadValue: it is not.
    """
    if not SAFE_NAME.fullmatch(name) or name.endswith("."):
        raise BadValue(
            "the name {name!r} is not allowed: use 1 to 96 letters, digits, '.', '_' or '-', beginning with a letter or digit",
            name=name,
        )
    return name


def _try_lock(file: IO[bytes], shared: bool = False) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        else:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True


@contextlib.contextmanager
def lock(path: Path, patience: float = 1.0) -> Iterator[IO[bytes]]:
    """Hold a lock that the system frees once the process, and every process it passed the open file to, is gone.

    Raises:
        NotNow: another process holds it for longer than `patience` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as file:
        end = time.monotonic() + patience
        while not _try_lock(file):
            if time.monotonic() > end:
                raise NotNow("another process is working in {folder}; wait for it or stop it", folder=path.parent.name)
            time.sleep(0.01)
        try:
            yield file
        finally:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_UN)  # closing is not enough if another process has the file open


def is_locked(path: Path) -> bool:
    """Whether a live process holds the lock."""
    try:
        with open(path, "rb+") as file:
            return not _try_lock(file, shared=True)  # shared, so that two callers do not see each other
    except FileNotFoundError:
        return False


def check_zip(archive: zipfile.ZipFile, max_bytes: int = MAX_ARCHIVE_BYTES) -> list[zipfile.ZipInfo]:
    """The files of a zip, in order, after the whole zip is checked to be harmless.

    Raises:
        BadArchive: a member is outside the archive, a link, or encrypted, or the zip looks like a zip bomb.
    """
    files = [info for info in archive.infolist() if not info.is_dir()]
    for info in files:
        _check_member(info)
    size, packed = sum(info.file_size for info in files), sum(info.compress_size for info in files)
    if size > max_bytes:
        raise BadArchive(
            "the zip would unpack to {size:.1f} GB; the limit is {limit:.1f} GB",
            size=size / 1e9,
            limit=max_bytes / 1e9,
        )
    if size > MAX_SWELLING * max(packed, 1) and size > 50 * 2**20:
        raise BadArchive(
            "the zip grows {factor:.0f}-fold when unpacked; it looks like a zip bomb and is refused",
            factor=size / max(packed, 1),
        )
    return files


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.filename.replace("\\", "/")
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise BadArchive("the zip holds {name!r}, which points outside of it; the zip is refused", name=info.filename)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise BadArchive(
            "the zip holds the link {name!r}; links are refused, include the files themselves", name=info.filename
        )
    if info.flag_bits & 0x1:
        raise BadArchive(
            "the zip's member {name!r} is encrypted; unpack it with its password first", name=info.filename
        )

"""The files in an import source (a zip, a folder, or several files), read with size limits and never unpacked."""

import contextlib
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from aeviz import files
from aeviz.data.importing.reading import MAX_BYTES
from aeviz.errors import BadFile

JUNK = ("__macosx", "thumbs.db", "desktop.ini")
OVERRIDES = re.compile(r"[\u202a-\u202e\u2066-\u2069]")  # they disguise a name by reversing text


@dataclass(frozen=True)
class Entry:
    """A file, by its name in the source ("folder/picture.png"), and a function that reads it."""

    name: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Skipped:
    """A file that was not imported, and why."""

    file: str
    reason: str


def clean_text(text: str) -> str:
    """A user-supplied name without control and direction-override characters."""
    return OVERRIDES.sub("", "".join(mark for mark in text if unicodedata.category(mark) not in ("Cc", "Cs")))


MOST_DIGITS = 100  # of a number in a file name that count for sorting


def natural_key(text: str) -> list[tuple[int, int, str]]:
    """A sort key that puts `2.png` before `10.png`."""
    parts = re.split(r"(\d+)", text)
    return [(0, int(part[:MOST_DIGITS]), part) if part.isdecimal() else (1, 0, part) for part in parts]


@contextlib.contextmanager
def open_entries(sources: list[Path]) -> Iterator[tuple[list[Entry], list[Skipped]]]:
    """All files of the sources in natural order, readable inside the block, and the files skipped so far.

    Several zips or folders are kept apart by their names.

    Raises:
        BadFile: a source is missing or unreadable.
        BadArchive: a zip is refused as a whole.
    """
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    containers = [source for source in sources if source.is_dir() or is_zip(source)]
    with contextlib.ExitStack() as opened:
        for source in sources:
            if not source.exists():
                raise BadFile("there is no file or folder {path}", path=source)
            if source.is_dir():
                found = _folder_entries(source, skipped)
            elif is_zip(source):
                found = _zip_entries(opened.enter_context(open_zip(source)), skipped)
            else:
                found = [Entry(source.name, _file_reader(source))]
            prefix = f"{source.stem}/" if len(containers) > 1 and source in containers else ""
            entries += [replace(entry, name=prefix + entry.name) for entry in found if not _is_junk(entry.name)]
        yield sorted(entries, key=lambda entry: natural_key(entry.name)), skipped


def is_zip(path: Path) -> bool:
    """Whether a file is named as a zip."""
    return path.suffix.lower() == ".zip"


@contextlib.contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip.

    Raises:
        BadFile: the file is not a zip, or is damaged.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError):
        raise BadFile("{name} is not a readable zip; it may be truncated", name=path.name) from None
    with archive:
        yield archive


def _is_junk(name: str) -> bool:
    return any(part.startswith(".") or part.lower() in JUNK for part in name.split("/"))


def _zip_entries(archive: zipfile.ZipFile, skipped: list[Skipped]) -> list[Entry]:
    entries = []
    for info in files.check_zip(archive):
        name = info.filename.replace("\\", "/").removeprefix("./")
        if info.file_size > MAX_BYTES and not _is_junk(name):
            skipped.append(Skipped(clean_text(name), f"it is larger than {MAX_BYTES // 2**20} MB"))
        else:
            entries.append(Entry(name, _member_reader(archive, info)))
    return entries


def _member_reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with archive.open(info) as member:
                return member.read(info.file_size)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError):
            raise BadFile(
                "{name} cannot be read: {reason}", name=info.filename, reason="it is damaged inside the zip"
            ) from None

    return read


def _folder_entries(root: Path, skipped: list[Skipped]) -> list[Entry]:
    """The regular files below a folder; links are followed only to files inside it."""
    entries, home = [], root.resolve()
    for path in sorted(_walk(root)):
        name = path.relative_to(root).as_posix()
        reason = _refusal(path, home)
        if reason is None:
            entries.append(Entry(name, _file_reader(path)))
        elif not _is_junk(name):
            skipped.append(Skipped(clean_text(name), reason))
    return entries


def _walk(folder: Path) -> Iterator[Path]:
    """Everything below a folder except real folders; includes links to folders, and unreadable folders."""
    try:
        inside = list(folder.iterdir())
    except OSError:
        yield folder
        return
    for path in inside:
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        else:
            yield path


def _refusal(path: Path, home: Path) -> str | None:
    try:
        target = path.resolve(strict=True)
        mode = target.stat().st_mode
    except (OSError, RuntimeError):
        return "it is a broken link"
    if not target.is_relative_to(home):
        return "it is a link to outside the folder"
    if stat.S_ISDIR(mode):
        return "it is a link to a folder; such links are not followed" if path.is_symlink() else "it is not readable"
    return None if stat.S_ISREG(mode) else "it is not a regular file"


def _file_reader(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            with open(path, "rb") as file:
                content = file.read(MAX_BYTES + 1)  # one byte more, so that the reader notices an oversized file
        except OSError as error:
            reason = error.strerror or "it is not readable"
            raise BadFile("{name} cannot be read: {reason}", name=path.name, reason=reason) from None
        return content

    return read

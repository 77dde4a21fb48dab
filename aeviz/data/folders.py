"""The data folders, and temporary folders in them that clean up after themselves."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from aeviz import files
from aeviz.errors import BadValue


def data_roots() -> list[Path]:
    """All data folders, from AEVIZ_DATA (separated as in PATH); `data` by default."""
    named = [part for part in os.environ.get("AEVIZ_DATA", "").split(os.pathsep) if part.strip()]
    return [Path(part).expanduser() for part in named] or [Path("data")]


def data_root() -> Path:
    """The folder that is written to: the first writable one, else the first."""
    roots = data_roots()
    return next((root for root in roots if _is_writable(root)), roots[0])


def writable_root() -> Path:
    """The folder that is written to, created if necessary.

    Raises:
        BadValue: none of the folders is writable.
    """
    root = data_root()
    try:
        if not _is_writable(root):
            raise PermissionError
        root.mkdir(parents=True, exist_ok=True)
    except OSError:
        named = ", ".join(str(root.absolute()) for root in data_roots())
        raise BadValue(
            "no data folder is writable (tried {folders}); set AEVIZ_DATA to one that is", folders=named
        ) from None
    return root


def _is_writable(folder: Path) -> bool:
    """Whether a folder can be written to, or created, as far as can be known without trying."""
    folder = folder.absolute()
    if folder.exists() and not folder.is_dir():
        return False
    nearest = next(place for place in [folder, *folder.parents] if place.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


@contextlib.contextmanager
def temporary_folder(parent: Path, kind: str, name: str) -> Iterator[Path]:
    """A folder `.KIND-NAME-PID`, removed at the end unless it was renamed; sweeps those of dead processes.

    Raises:
        BadValue: the parent is not writable.
        NotNow: this process is doing the same already.
    """
    folder = parent / f".{kind}-{name}-{os.getpid()}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _sweep(parent, kind)
    except OSError as error:
        raise BadValue(
            "cannot write in {folder}: {reason}", folder=parent.absolute(), reason=error.strerror or error
        ) from None
    # The lock is a file next to the folder and is taken first, so that no sweep sees a live folder without its lock.
    lock = folder.with_name(folder.name + ".lock")
    with files.lock(lock):
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            # A system that keeps open files (Windows) leaves the empty lock behind.
            with contextlib.suppress(OSError):
                lock.unlink()


def _sweep(parent: Path, kind: str) -> None:
    """Remove what earlier attempts left; a lock without a folder may be about to get one and stays."""
    for folder in parent.glob(f".{kind}-*"):
        lock = folder.with_name(folder.name + ".lock")
        if folder.is_dir() and not files.is_locked(lock):
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)

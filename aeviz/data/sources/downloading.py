"""Downloading a public set: into a temporary folder, with progress, verified by checksum, then moved into place."""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Protocol

from aeviz.data.dataset import Report
from aeviz.data.folders import temporary_folder, writable_root
from aeviz.data.sources import fetch
from aeviz.data.sources.carried import CARRIED
from aeviz.errors import MissingData

WATCH_SECONDS = 0.2
PACKED = (".gz", ".mat")  # what is downloaded, as opposed to what is unpacked from it
REASONS = (
    (r"HTTP Error (\d+)", "its server answered with error {0}"),
    (r"timed? ?out", "its server did not answer in time"),
    (r"No space left|Errno 28|quota", "the disk is full"),
    (r"resolution|getaddrinfo|not known|No address|unreachable", "its server was not found, there may be no network"),
    (r"refused|reset|RemoteDisconnected|Tunnel|IncompleteRead", "the connection was lost"),
    (r"CERTIFICATE|SSL", "the server's certificate could not be checked"),
    (r"corrupted|not found", "the downloaded file does not match its checksum"),
    (r"No module named", "torchvision is not installed"),
)


class Downloadable(Protocol):
    """A set that torchvision can download: its name there, its size, and where its files belong."""

    name: ClassVar[str]
    label: ClassVar[str]
    torchvision_name: ClassVar[str]
    download_bytes: ClassVar[int]

    def is_ready(self) -> bool:
        """Whether all files of the set are present."""

    def manual_download(self) -> str:
        """Which files to put where, as text."""


def download_set(source: Downloadable, report: Report) -> None:
    """Download a set into the writable data folder.

    Raises:
        MissingData: the download failed; nothing is left behind.
        Stopped: the user stopped it.
    """
    root = writable_root()
    with temporary_folder(root, "download", source.name) as folder:
        try:
            failure = _watch(fetch_command(source, folder), lambda: report(*_progress(source, folder)))
            if failure is None:
                _move_in(folder, root)
        except OSError as error:
            failure = f"{type(error).__name__}: {error}"
    if failure is not None or not source.is_ready():
        raise _missing(source, failure or "not found")


def fetch_command(source: Downloadable, folder: Path) -> list[str]:
    """The command line that downloads a set into a folder."""
    # -P keeps the script's folder off sys.path, where its modules would shadow others of the same name.
    return [sys.executable, "-P", str(Path(fetch.__file__)), source.torchvision_name, str(folder)]


def _watch(command: list[str], report: Callable[[], None]) -> str | None:
    """Run a command, reporting five times a second; return its last line if it failed. Any exception kills it."""
    quiet = {**os.environ, "TQDM_DISABLE": "1"}
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=quiet
    ) as process:
        try:
            while _still_runs(process):
                report()
            report()  # a stop requested at the last moment, which may be why the command failed
        except BaseException:
            process.kill()
            raise
        output = process.communicate()[0].decode(errors="replace").strip()
    return None if process.returncode == 0 else (output.splitlines() or ["it ended without a message"])[-1]


def _still_runs(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(WATCH_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _progress(source: Downloadable, folder: Path) -> tuple[float, float, str]:
    sizes = []
    for place, _, names in os.walk(folder):  # unlike rglob, os.walk skips folders that vanish meanwhile
        for name in names:
            if name.endswith(PACKED):
                with contextlib.suppress(FileNotFoundError):
                    sizes.append(os.path.getsize(os.path.join(place, name)))
    done = min(sum(sizes), source.download_bytes)
    return done, source.download_bytes, f"Downloading {source.label}"


def _move_in(folder: Path, root: Path) -> None:
    """Move the finished files into place, a whole folder at once if it does not exist yet."""
    for path in folder.rglob("*.gz"):
        path.unlink()
    for entry in sorted(folder.iterdir()):
        target = root / entry.name
        if target.is_dir():
            for file in [path for path in entry.rglob("*") if path.is_file()]:
                place = root / file.relative_to(folder)
                place.parent.mkdir(parents=True, exist_ok=True)
                os.replace(file, place)
        else:
            os.replace(entry, target)


def _missing(source: Downloadable, failure: str) -> MissingData:
    return MissingData(
        "{label} could not be downloaded because {reason}; try again later, put {where} by hand, "
        "or take {carried}, which need no download",
        label=source.label,
        reason=short_reason(failure),
        where=source.manual_download(),
        carried=CARRIED,
    )


def short_reason(failure: str) -> str:
    """What went wrong, in a few plain words."""
    for pattern, words in REASONS:
        found = re.search(pattern, failure, re.IGNORECASE)
        if found:
            return words.format(*found.groups())
    return f"of an error ({failure[:120]})"

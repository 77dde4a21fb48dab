"""Importing your own images: read, resized, arranged and stored once, or not at all."""

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from aeviz import files
from aeviz.config import Settings
from aeviz.data.dataset import Report, Shape, report_nothing
from aeviz.data.folders import temporary_folder, writable_root
from aeviz.data.importing.entries import Skipped, clean_text, natural_key
from aeviz.data.importing.pictures import Picture, open_pictures
from aeviz.data.sources.own import Rows, own_folders, write_own
from aeviz.data.splits import MIN_IMAGES
from aeviz.errors import BadFile, BadValue

BATCH = 50
THREADS = 4
MAX_REASONS = 3


class ImportSettings(Settings):
    """How your own images are stored: as squares of one size."""

    name: str = Field(description="The set's name: letters, digits, '.', '_' and '-'.")
    size: int = Field(32, ge=8, le=128, description="Side of an image in pixels.")
    mode: Literal["rgb", "grey"] = Field("rgb", description="Colour or grey.")
    fit: Literal["crop", "pad"] = Field("crop", description="Crop to the centre square, or pad the whole image.")
    background: str = Field(
        "white",
        pattern=r"^(white|black|#[0-9a-fA-F]{6})$",
        description="Colour behind transparency and padding: white, black or #rrggbb.",
    )

    @property
    def shape(self) -> Shape:
        """The shape (C, H, W) of one image."""
        return 3 if self.mode == "rgb" else 1, self.size, self.size


@dataclass(frozen=True)
class ImportReport:
    """What was imported, and which files were skipped, with reasons."""

    name: str
    n: int
    shape: Shape
    classes: tuple[str, ...]
    skipped: list[dict[str, str]]


def import_data(
    sources: list[Path], settings: ImportSettings, taken: tuple[str, ...] = (), report: Report = report_nothing
) -> ImportReport:
    """Make a data set of zips, folders, image files or arrays.

    Raises:
        BadValue: the name is not allowed or taken.
        BadFile: a source, or everything in it, is unreadable; nothing is kept.
        BadArchive: a zip is refused as a whole.
        Stopped: the user stopped it; nothing is kept.
    """
    name = _free_name(settings.name, taken)
    home = writable_root() / "own"
    try:
        with temporary_folder(home, "import", name) as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about odd files but reads them
            outcome = _import_into(folder, name, [Path(source) for source in sources], settings, report)
            _publish(folder, home / name)
            return outcome
    except OSError as error:
        raise BadFile(
            "{name} could not be stored in {folder}: {reason}",
            name=name,
            folder=home.absolute(),
            reason=error.strerror or error,
        ) from error


def _free_name(name: str, taken: tuple[str, ...]) -> str:
    files.safe_name(name)
    # Some file systems treat Emoji and emoji as the same folder.
    if name.casefold() in {other.casefold() for other in (*taken, *own_folders())}:
        raise BadValue(
            "there is a data set called {name!r} already; choose another name, or delete that one", name=name
        )
    return name


def _import_into(
    folder: Path, name: str, sources: list[Path], settings: ImportSettings, report: Report
) -> ImportReport:
    with open_pictures(sources, settings.shape, settings.fit, settings.background) as (pictures, table, skipped):
        kept = _fill(folder / "raw", pictures, skipped, report)
    if len(kept) < MIN_IMAGES:
        raise _too_few(len(kept), skipped)
    names = [picture.file for picture in kept]
    texts = [picture.label for picture in kept]
    if table is not None and not any(texts):
        texts = table.labels([picture.path for picture in kept]) or texts
    classes = tuple(sorted({text for text in texts if text}, key=natural_key))
    numbers = {text: number for number, text in enumerate(classes)}
    rows = Rows(
        files=names,
        labels=np.array([numbers.get(text or "", -1) for text in texts], dtype=np.int64),
        columns=table.columns([picture.path for picture in kept]) if table is not None else {},
        is_test=np.array([picture.is_test for picture in kept]),
    )
    raw = np.memmap(folder / "raw", np.uint8, "r", shape=(len(kept), *settings.shape))
    meta = write_own(
        folder, name, classes, settings, raw, rows, lambda: report(len(pictures), len(pictures), "Arranging")
    )
    listed = [asdict(entry) for entry in skipped]
    files.write_json(folder / "skipped.json", listed)
    return ImportReport(name, meta.n, meta.shape, classes, listed)


def _fill(path: Path, pictures: list[Picture], skipped: list[Skipped], report: Report) -> list[Picture]:
    """Write the pixels of all readable pictures one after the other, and return those pictures."""
    kept: list[Picture] = []
    with open(path, "wb") as file, ThreadPoolExecutor(THREADS) as pool:
        for start in range(0, len(pictures), BATCH):
            report(start, len(pictures), "Reading images")
            batch = pictures[start : start + BATCH]
            for picture, pixels in zip(batch, pool.map(_read_or_reason, batch), strict=True):
                if isinstance(pixels, str):
                    skipped.append(Skipped(picture.file, pixels))
                else:
                    file.write(pixels.tobytes())
                    kept.append(picture)
    report(len(pictures), len(pictures), "Arranging")
    return kept


def _read_or_reason(picture: Picture) -> np.ndarray | str:
    """A picture's pixels, or the reason why it is unreadable."""
    try:
        return picture.read()
    except BadFile as error:
        return clean_text(str(error.values.get("reason", error)))


def _too_few(n: int, skipped: list[Skipped]) -> BadFile:
    reasons = "; ".join(f"{entry.file}: {entry.reason}" for entry in skipped[:MAX_REASONS])
    more = f"; and {len(skipped) - MAX_REASONS} more" if len(skipped) > MAX_REASONS else ""
    return BadFile(
        "{came} could be read, and a data set needs {least} or more{reasons}",
        came=f"only {n} image{'s' * (n > 1)}" if n else "no images",
        least=MIN_IMAGES,
        reasons=f" ({reasons}{more})" if reasons else ": the source holds none",
    )


def _publish(folder: Path, target: Path) -> None:
    (folder / "raw").unlink()
    try:
        os.rename(folder, target)
    except OSError:
        if target.exists():
            raise BadValue(
                "there is a data set called {name!r} already; choose another name", name=target.name
            ) from None
        raise

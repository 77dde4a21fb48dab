"""The frames of a training: the codes of fixed probe images over time."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aeviz.errors import BadFile
from aeviz.runs.run import Run

DIGITS = 9  # of the step in a frame's name


@dataclass(frozen=True)
class Frames:
    """Codes of the same P images at S steps; D differs between frames if the network was changed."""

    steps: np.ndarray  # (S,) int64
    codes: list[np.ndarray]  # S times (P, D) float16
    labels: np.ndarray  # (P,) int64, -1 unknown
    index: np.ndarray  # (P,) int64, rows of the whole set


def frames_folder(run: Run) -> Path:
    """The folder of a run's frames."""
    return run.path / "frames"


def codes_path(run: Run, step: int) -> Path:
    """The file of the probes' codes at a step."""
    return frames_folder(run) / f"{step:0{DIGITS}d}.npy"


def picture_path(run: Run, step: int) -> Path:
    """The picture of the reconstructions at a step; `originals_path` is shown above it."""
    return codes_path(run, step).with_suffix(".webp")


def originals_path(run: Run) -> Path:
    """The picture of the images that are reconstructed in every frame."""
    return frames_folder(run) / "originals.webp"


def probes_path(run: Run) -> Path:
    """The file that lists the probe images."""
    return frames_folder(run) / "probes.npz"


def frame_steps(run: Run) -> list[int]:
    """The steps that have frames, in order."""
    return sorted(int(path.stem) for path in frames_folder(run).glob("*.npy") if path.stem.isdecimal())


def read_probes(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the whole set (P,) and labels (P,) of the probes; empty if no frames were recorded.

    Raises:
        BadFile: the file is damaged.
    """
    arrays = _read(probes_path(run))
    if arrays is None:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return arrays["index"], arrays["labels"]


def read_codes(run: Run, step: int) -> np.ndarray | None:
    """The probes' codes (P, D) float16 at a step, or None if that frame has been thinned out.

    Raises:
        BadFile: the file is damaged.
    """
    codes = _read(codes_path(run, step))
    return None if codes is None else codes["codes"]


def read_frames(run: Run) -> Frames:
    """All frames, oldest first; skips those that are thinned out meanwhile.

    Raises:
        BadFile: a file is damaged.
    """
    index, labels = read_probes(run)
    read = [(step, codes) for step in frame_steps(run) if (codes := read_codes(run, step)) is not None]
    steps = np.array([step for step, _ in read], dtype=np.int64)
    return Frames(steps, [codes for _, codes in read], labels, index)


def _read(path: Path) -> dict[str, np.ndarray] | None:
    """The arrays of a file by name (`codes` for a single one), or None if there is no such file."""
    try:
        read: Any = np.load(path, allow_pickle=False)
        if isinstance(read, np.ndarray):
            return {"codes": read}
        with read:
            return dict(read)
    except FileNotFoundError:
        return None
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise BadFile("{file} of the run's frames is damaged ({reason}); remove it", file=path, reason=error) from None

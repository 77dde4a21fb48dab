"""A CSV next to the pictures: extra columns to colour by, and classes if no folders give them."""

import csv
import io
import math
from collections import Counter
from dataclasses import dataclass

import numpy as np

from aeviz.data.importing.entries import clean_text
from aeviz.errors import BadFile

FILE_COLUMNS = ("file", "filename", "file_name", "image", "path", "name")
LABEL_COLUMNS = ("label", "class")
DELIMITERS = ",;\t"
MAX_TABLE_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Table:
    """The rows of a CSV by the file they describe, and the names of its other columns."""

    rows: dict[str, list[str]]
    names: tuple[str, ...]

    def row_of(self, file: str) -> list[str] | None:
        """The row of a file, by its full path, else by ever shorter suffixes of it."""
        parts = file.split("/")
        ends = ("/".join(parts[start:]) for start in range(len(parts)))
        return next((self.rows[end] for end in ends if end in self.rows), None)

    def labels(self, files: list[str]) -> list[str | None] | None:
        """The classes of files, or None if there is no column for them."""
        place = next((i for i, name in enumerate(self.names) if name.lower() in LABEL_COLUMNS), None)
        if place is None:
            return None
        rows = [self.row_of(file) for file in files]
        return [row[place] or None if row else None for row in rows]

    def columns(self, files: list[str]) -> dict[str, np.ndarray]:
        """Every column as an array (N,): floats if all parse (NaN where empty), else text."""
        blank = [""] * len(self.names)
        rows = [self.row_of(file) or blank for file in files]
        return {name: _to_array([row[place] for row in rows]) for place, name in enumerate(self.names)}


def read_table(content: bytes) -> Table:
    """Read a CSV whose first line names its columns.

    Raises:
        BadFile: it is not a table, or has no column of file names.
    """
    if len(content) > MAX_TABLE_BYTES:
        raise _bad_table(f"it is larger than {MAX_TABLE_BYTES // 2**20} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    first = text.split("\n", 1)[0]
    try:
        lines = list(csv.reader(io.StringIO(text), delimiter=max(DELIMITERS, key=first.count)))
    except csv.Error as error:
        raise _bad_table(f"it is not a table ({error})") from None
    header = [clean_text(name).strip() for name in lines[0]] if lines else []
    lower = [name.lower() for name in header]
    key = next((lower.index(name) for name in FILE_COLUMNS if name in lower), None)
    if key is None:
        raise _bad_table(f"it has no column of file names (one of {', '.join(FILE_COLUMNS)})")
    keep = [i for i, name in enumerate(header) if i != key and name and header.index(name) == i]
    rows = {}
    for line in lines[1:]:
        cells = line + [""] * (len(header) - len(line))
        rows[_file_key(cells[key])] = [clean_text(cells[i]).strip() for i in keep]
    return Table(_with_short_names(rows), tuple(header[i] for i in keep))


def _bad_table(reason: str) -> BadFile:
    return BadFile("the table cannot be read: {reason}", reason=reason)


def _file_key(text: str) -> str:
    return clean_text(text).strip().replace("\\", "/").removeprefix("./")


def _with_short_names(rows: dict[str, list[str]]) -> dict[str, list[str]]:
    """The rows, also by the last part of their path if that is unique."""
    counts = Counter(file.rsplit("/", 1)[-1] for file in rows)
    lasts = {file.rsplit("/", 1)[-1]: row for file, row in rows.items()}
    return {last: row for last, row in lasts.items() if counts[last] == 1} | rows


def _to_number(text: str) -> float:
    """A number as tables write it; plain Python would read `1_0` as ten."""
    if "_" in text:
        raise ValueError(text)
    return float(text) if text else math.nan


def _to_array(values: list[str]) -> np.ndarray:
    """Texts (N,) as floats if every non-empty one is a finite number, else as text."""
    try:
        numbers = np.array([_to_number(value) for value in values])
    except ValueError:
        return np.array(values, dtype=object)
    is_number = bool(np.isfinite(numbers).any()) and not np.isinf(numbers).any()
    return numbers if is_number else np.array(values, dtype=object)

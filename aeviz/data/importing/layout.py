"""What the folders around pictures mean: a wrapper, a split, or classes."""

from dataclasses import dataclass

from aeviz.data.importing.entries import Entry, clean_text

# val counts as train; validation is drawn by our own rule.
TRAIN_FOLDERS = ("train", "training", "val", "valid", "validation")
TEST_FOLDERS = ("test", "testing")
PICTURE_SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".dib", ".gif"),
    *(".tif", ".tiff", ".ppm", ".pgm", ".pbm"),
)


@dataclass(frozen=True)
class Place:
    """An entry with its name below the wrapper folders, and its class and split if the folders give them."""

    entry: Entry
    file: str
    label: str | None
    is_test: bool


@dataclass(frozen=True)
class Layout:
    """Pictures in their places, tables at the top, and tables further down."""

    pictures: list[Place]
    tables: list[Entry]
    deep_tables: list[Entry]


def lay_out(entries: list[Entry]) -> Layout:
    """Skip wrapper folders, then honour train/ and test/, then take the first folder as the class."""
    pictures = [entry for entry in entries if not _is_table(entry)]
    # A README next to the folders says nothing about them.
    telling = [entry for entry in pictures if entry.name.lower().endswith(PICTURE_SUFFIXES)] or pictures
    wrap = _wrapping([entry.name.split("/")[:-1] for entry in telling])
    tops = {parts[0].lower() for parts in (_below(entry, wrap) for entry in telling) if len(parts) > 1}
    has_split = bool(tops & set(TRAIN_FOLDERS)) and bool(tops & set(TEST_FOLDERS))
    # train/ and val/ without test/ are a split, not classes.
    is_split = has_split or (bool(tops) and tops <= set(TRAIN_FOLDERS) and "train" in tops)
    tables = [entry for entry in entries if _is_table(entry)]
    near = [entry for entry in tables if entry.name.split("/")[:-1] == wrap[: entry.name.count("/")]]
    return Layout(
        pictures=[_place(entry, _below(entry, wrap), is_split) for entry in pictures],
        tables=near,
        deep_tables=[entry for entry in tables if entry not in near],
    )


def _is_table(entry: Entry) -> bool:
    return entry.name.lower().endswith(".csv")


def _wrapping(folders: list[list[str]]) -> list[str]:
    """The folders that contain everything, outermost first."""
    if not folders:
        return []
    first, last = min(folders), max(folders)  # all names share whatever prefix these two share
    shared = 0
    while shared < min(len(first), len(last)) and first[shared] == last[shared]:
        shared += 1
    return first[:shared]


def _below(entry: Entry, wrap: list[str]) -> list[str]:
    parts = entry.name.split("/")
    return parts[len(wrap) :] if parts[: len(wrap)] == wrap else parts


def _place(entry: Entry, parts: list[str], is_split: bool) -> Place:
    folders = parts[:-1]
    top = folders[0].lower() if folders and is_split else ""
    if top in TRAIN_FOLDERS + TEST_FOLDERS:
        folders = folders[1:]
    label = clean_text(folders[0]) if folders else None
    return Place(entry, clean_text("/".join(parts)), label, top in TEST_FOLDERS)

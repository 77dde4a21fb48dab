"""The house keeps its order: imports point one way, and Streamlit stays in its rooms."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = [
    ["pages"], ["ui"], ["training", "export"], ["results"], ["runs", "scores"], ["latent"], ["models"], ["data"],
    ["jobs"], ["files", "config", "errors", "watch"],
]  # fmt: skip
FLOOR = {room: level for level, rooms in enumerate(ORDER) for room in rooms}
FILES = sorted([*ROOT.glob("aeviz/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"])


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0].removesuffix(".py") if parts[0] != "aeviz" else parts[1].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Dotted names a file imports, wherever in it, with what is taken from a package."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_imported(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("aeviz.")} - {"__version__"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    room = room_of(path)
    if room in ("__init__", "app"):
        return
    if room in ("__main__", "commands"):
        assert "ui" not in rooms_imported(path)
        return
    for other in rooms_imported(path) - {room}:
        if other == "plots":
            assert room in ("pages", "ui", "export")
        else:
            assert room != "plots", f"plots is a leaf and imports {other}"
            assert FLOOR[room] < FLOOR[other] or FLOOR[room] == FLOOR[other] == len(ORDER) - 1, (
                f"{room} imports {other}"
            )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_streamlit_stays_in_its_rooms(path):
    if any(name.split(".")[0] == "streamlit" for name in imported(path)):
        assert room_of(path) in ("app", "pages", "ui")

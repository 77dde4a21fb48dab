"""Packages import in one direction only, and Streamlit is imported by the app, its pages and `ui` only."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDER = [
    ["pages"], ["ui"], ["training", "export"], ["results"], ["runs", "scores"], ["latent"], ["models"], ["data"],
    ["jobs"], ["files", "config", "errors", "watch"],
]  # fmt: skip
LEVEL = {package: level for level, packages in enumerate(ORDER) for package in packages}
FILES = sorted([*ROOT.glob("aeviz/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"])


def package_of(path: Path) -> str:
    """The top-level package or module a file belongs to."""
    parts = path.relative_to(ROOT).parts
    return parts[0].removesuffix(".py") if parts[0] != "aeviz" else parts[1].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Dotted names of all imports in a file, at any level, including names imported from packages."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def packages_imported(path: Path) -> set[str]:
    """The packages of aeviz that a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("aeviz.")} - {"__version__"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    package = package_of(path)
    if package in ("__init__", "app"):
        return
    if package in ("__main__", "commands"):
        assert "ui" not in packages_imported(path)
        return
    for other in packages_imported(path) - {package}:
        if other == "plots":
            assert package in ("pages", "ui", "export")
        else:
            assert package != "plots", f"plots is a leaf and imports {other}"
            assert LEVEL[package] < LEVEL[other] or LEVEL[package] == LEVEL[other] == len(ORDER) - 1, (
                f"{package} imports {other}"
            )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_streamlit_is_imported_by_app_pages_and_ui_only(path):
    if any(name.split(".")[0] == "streamlit" for name in imported(path)):
        assert package_of(path) in ("app", "pages", "ui")

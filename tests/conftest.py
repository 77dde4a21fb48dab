"""What every test has: folders of its own, one thread, and the real data where they are at hand."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch loads OpenMP
import torch

torch.set_num_threads(1)
ROOT = Path(__file__).resolve().parent.parent
REAL_DATA = os.environ.get("AEVIZ_DATA", "")
# Files that take longest: where two processes share the files out, neither is left alone with one of these at the end.
LONG = (
    "test_training.py", "test_instruction_levels.py", "test_bench.py", "test_distributed.py", "test_deaths.py", "test_imports.py",
    "test_live.py", "test_whole_road.py", "test_editor.py", "test_first_road.py", "test_map.py",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """The longest files first."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Runs and data of one test never meet another's."""
    monkeypatch.setenv("AEVIZ_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("AEVIZ_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return tmp_path


@pytest.fixture
def real_data(monkeypatch):
    """The folders AEVIZ_DATA named when the tests were started."""
    if not REAL_DATA:
        pytest.skip("AEVIZ_DATA names no folder of real data")
    monkeypatch.setenv(
        "AEVIZ_DATA", os.pathsep.join(str(Path(folder).absolute()) for folder in REAL_DATA.split(os.pathsep))
    )
    return Path(REAL_DATA.split(os.pathsep)[0])


@pytest.fixture
def started(monkeypatch):
    """The lines that were started, none of which runs."""
    from aeviz.ui import warm

    lines = []

    class Spare:
        def start(self, job, *arguments):
            lines.append(arguments)

    monkeypatch.setattr(warm, "spare", Spare)
    return lines


@pytest.fixture
def clear_caches():
    """Streamlit has kept nothing of the tests before."""
    import streamlit as st

    st.cache_data.clear()
    st.cache_resource.clear()

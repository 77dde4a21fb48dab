"""Models and training are sound at every instruction level this processor can be held to, with the heap checked."""

import json
import os
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from tests.conftest import ROOT
from tests.levels import HEAP_CHECKS, LEVELS, cases

HAS = {"AVX512": {"default", "AVX512 without bf16", "AVX2", "SSE4.1"}, "AVX2": {"default", "AVX2", "SSE4.1"}}
AT_ONCE = 2


def levels():
    """The levels this processor can be held to; one that is no x86 has its default alone."""
    return [level for level in LEVELS if level in HAS.get(torch.backends.cpu.get_cpu_capability(), {"default"})]


def heap_checks():
    """What has the C library check its heap, where it is glibc with its debugging library."""
    is_here = any(Path(folder, HEAP_CHECKS["LD_PRELOAD"]).exists() for folder in _library_folders())
    return HEAP_CHECKS if is_here else {}


def _library_folders():
    return ["/lib64", "/usr/lib64", "/usr/lib", f"/lib/{platform.machine()}-linux-gnu"]


def _measure(level, folder):
    """What a level's process ended with, its last lines, and its numbers by case."""
    environment = os.environ | heap_checks() | LEVELS[level] | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    numbers = folder / f"{level}.json"
    line = [sys.executable, "-X", "faulthandler", "-m", "tests.levels", str(numbers)]
    ended = subprocess.run(line, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    said = ended.stdout[-300:] + ended.stderr[-2000:]
    return ended.returncode, said, json.loads(numbers.read_text()) if numbers.exists() else {}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """What `_measure` gives, by level."""
    folder = tmp_path_factory.mktemp("levels")
    with ThreadPoolExecutor(AT_ONCE) as waiting:
        return dict(zip(levels(), waiting.map(lambda level: _measure(level, folder), levels()), strict=True))


@pytest.mark.parametrize("level", levels())
def test_every_network_trains_and_goes_on_without_damage(measured, level):
    code, last_lines, numbers = measured[level]
    assert code == 0, f"ended with {code}; its last lines:\n{last_lines}"
    assert set(numbers) == set(map(str, cases()))


@pytest.mark.parametrize("level", levels()[1:])
def test_the_numbers_agree_with_those_of_the_default_level(measured, level):
    expected, got = measured["default"][2], measured[level][2]
    apart = {case: (got[case], numbers) for case, numbers in expected.items() if not _agree(got[case], numbers)}
    assert expected
    assert not apart


def _agree(got, expected):
    """Totals within rounding; the weights less closely, as Adam divides even a gradient that is all rounding by its size."""
    *totals, weights = got
    return totals == pytest.approx(expected[:-1], rel=1e-4) and weights == pytest.approx(expected[-1], rel=2e-3)

"""`python -m bench.gpu.part`: one part, whose results are written line by line, so that whatever ends it loses little."""

import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from bench.gpu.parts import Setting, Skipped, Work, works_of

BROKEN = 3  # exit code: the card's context is of no use any more, what is left wants a fresh process
BREAKING = ("CUDA error", "device-side assert", "AcceleratorError", "CUBLAS_STATUS", "CUDNN_STATUS", "cudaError")


def run(works: list[Work], out: Path, done: set[str]) -> int:
    """Do all that is not done yet; the exit code."""
    for name, work in works:
        if name in done:
            continue
        _write(out, {"begun": name})
        found = attempt(work)
        _write(out, {"name": name} | found)
        if found.pop("broken", False):
            return BROKEN
    return 0


def attempt(work: Any) -> dict[str, Any]:
    """What a piece of work has found, or how it failed."""
    began = time.perf_counter()
    try:
        found = {"ok": True} | work()
    except Skipped as reason:
        return {"ok": None, "said": str(reason)}
    except Exception as error:  # the next piece of work is another matter
        traceback.print_exc()
        said = f"{type(error).__name__}: {error}"
        found = {"ok": False, "said": said[:600], "broken": any(sign in said for sign in BREAKING)}
    return found | {"seconds": round(time.perf_counter() - began, 3)}


def read(out: Path) -> tuple[list[dict[str, Any]], str | None]:
    """What a part has written: its results, and what it had begun but never ended."""
    lines = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    begun = [line["begun"] for line in lines if "begun" in line]
    results = [line for line in lines if "name" in line]
    ended = {line["name"] for line in results}
    return results, next((name for name in begun if name not in ended), None)


def _write(out: Path, line: dict[str, Any]) -> None:
    with out.open("a") as file:
        file.write(json.dumps(line) + "\n")


def main() -> int:
    """Do what the module named on the command line has to do."""
    module, setting, out = sys.argv[1], Setting(**json.loads(sys.argv[2])), Path(sys.argv[3])
    done = {each["name"] for each in read(out)[0]}
    return run(works_of(module, setting), out, done)


if __name__ == "__main__":
    sys.exit(main())

"""Each part in a process of its own: one that crashes goes on with what is left, one that takes too long is cut off."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.gpu.part import BROKEN, read
from bench.gpu.parts import PARTS, Setting

LEAST_SECONDS = 3.0  # with less than that no process is started
TAIL = 400  # characters of a log that tell why a process ended
Outcome = dict[str, Any]
Say = Callable[[str], None]


def conduct(names: list[str], setting: Setting, folder: Path, seconds: float, say: Say) -> dict[str, Outcome]:
    """The outcomes of all parts, `seconds` in all; what one leaves of its time goes to those after it.

    After every part `say` is told of it, and `folder` holds what is known so far as `<part>.jsonl`.
    """
    ends = time.monotonic() + seconds
    outcomes: dict[str, Outcome] = {}
    for number, name in enumerate(names):
        left, shares = ends - time.monotonic(), [PARTS[each].share for each in names[number:]]
        outcomes[name] = conduct_part(name, setting, folder, left * shares[0] / sum(shares))
        say(f"{name}: {outcomes[name]['state']}, {outcomes[name]['seconds']:.0f} s")
        if name == "machine" and outcomes[name]["results"] and outcomes[name]["results"][0]["ok"] is False:
            break  # no such device: nothing else could say more
    return outcomes


def conduct_part(name: str, setting: Setting, folder: Path, seconds: float) -> Outcome:
    """What became of one part: `state`, `seconds`, `results`."""
    began = time.monotonic()
    missing = PARTS[name].missing()
    if missing:
        return {"state": f"left out: needs {', '.join(missing)}", "seconds": 0.0, "results": []}
    out, log = folder / f"{name}.jsonl", folder / f"{name}.log"
    out.unlink(missing_ok=True)
    log.unlink(missing_ok=True)
    state = ""
    while not state:
        left = seconds - (time.monotonic() - began)
        state = _run(name, setting, out, log, left) if left > LEAST_SECONDS else f"cut off after {seconds:.0f} s"
    return {"state": state, "seconds": round(time.monotonic() - began, 1), "results": read(out)[0]}


def _run(name: str, setting: Setting, out: Path, log: Path, seconds: float) -> str:
    """Run a process of the part; how the part ended, or nothing where it has to go on in another process."""
    known = len(read(out)[0])
    line = [sys.executable, "-m", "bench.gpu.part", PARTS[name].module, json.dumps(setting.to_json()), str(out)]
    with log.open("ab") as file:
        process = subprocess.Popen(line, stdout=file, stderr=file, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return _cut_off(out, seconds)
    if code == 0:
        return "done"
    results, begun = read(out)
    if begun is not None:
        how = f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        _note(out, {"name": begun, "ok": False, "said": f"the process was {how}: {_tail(log)}"})
        return ""
    return "" if code == BROKEN and len(results) > known else f"failed: {_tail(log)}"


def _cut_off(out: Path, seconds: float) -> str:
    begun = read(out)[1]
    if begun is not None:
        _note(out, {"name": begun, "ok": None, "said": "cut off: the part's time was over"})
    return f"cut off after {seconds:.0f} s"


def _note(out: Path, line: dict[str, Any]) -> None:
    with out.open("a") as file:
        file.write(json.dumps(line) + "\n")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace").strip()[-TAIL:]

"""Reporting that a signal killed a process: in its job's status, and on standard error."""

import contextlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from aeviz.watch.messages import death_message, last_lines

TAIL = 2**15  # bytes read from the end of the log


def report_death(facts: dict[str, Any], pid: int, number: signal.Signals, died: float) -> None:
    """Report that a signal killed process `pid` at time `died`; `facts` is what the process reported about itself."""
    job = Path(facts["job"]) if facts.get("job") else None
    details = {"arguments": facts.get("arguments", []), "number": number, "lines": _log_tail(job, facts.get("log", 0))}
    if job is not None:
        details["plain"] = _was_plain(job)
        _write_failed(job, facts["held"], pid, died, {"message": death_message(**details), "signal": number.name})
        details["go_on"] = f"`aeviz resume {job.name}`"
    if number == signal.SIGINT:
        return  # the user at the terminal knows
    text = death_message(**details)
    with contextlib.suppress(OSError):  # stderr is closed
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, f"\naeviz: {text[0].lower()}{text[1:]}\n".encode())


def _write_failed(job: Path, held: bool, pid: int, died: float, changes: dict[str, str]) -> None:
    """Set the job's status to "failed", unless the job ended otherwise or belongs to another process by now."""
    from aeviz import files
    from aeviz.errors import NotNow

    with contextlib.ExitStack() as stack:
        if not held:  # it died before it held its job
            try:
                stack.enter_context(files.lock(job / "lock", patience=0.0))
            except NotNow:
                return
        status = files.read_json(job / "status.json") or {}
        state, ours = status.get("state"), status.get("pid") == pid
        waiting = state == "queued" and status.get("beat", 0.0) <= died
        if (ours and state == "running") or (held and ours and state == "paused") or waiting:
            files.write_json(job / "status.json", {**status, "state": "failed", "beat": died, **changes})


def _log_tail(job: Path | None, start: int) -> str:
    """The last lines of the job's log from byte `start`."""
    try:
        with open(job / "log.txt", "rb") if job is not None else open(os.devnull, "rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(start, end - TAIL))
            return last_lines(log.read().decode(errors="replace"))
    except FileNotFoundError:
        return ""


def _was_plain(job: Path) -> bool:
    """Whether a training already used torch's plain kernels."""
    from aeviz import files

    config = files.read_json(job / "config.json") or {}
    return bool((config.get("resolved") or {}).get("plain"))

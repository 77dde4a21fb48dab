"""Output of the commands: one JSON object as the last line, progress on stderr, or a job's status file."""

import contextlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from aeviz.errors import UnknownName
from aeviz.jobs import Job, hold_job

Report = Callable[..., Any]

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
job_option = click.option("--job", type=click.Path(path_type=Path), hidden=True)


def finish(as_json: bool, result: dict[str, Any], text: str) -> None:
    """Print the result, as JSON or as text."""
    click.echo(json.dumps(finite_json(result), allow_nan=False) if as_json else text)


def finite_json(value: Any) -> Any:
    """The value with null for every number that JSON cannot represent."""
    if isinstance(value, dict):
        return {key: finite_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@contextlib.contextmanager
def reporting(job: Path | None) -> Iterator[Report]:
    """A `report(done, total, message)` that writes a job's status, or a progress line on the terminal."""
    if job is not None:
        if not (job / "status.json").exists():
            raise UnknownName("{path} is not a job", path=job)
        with hold_job(Job(job)) as worker:
            yield worker.progress
            worker.report(state="done")
        return
    yield _terminal_report()
    if sys.stderr.isatty():
        click.echo("\r\033[K", nl=False, err=True)


def _terminal_report() -> Report:
    last = 0.0

    def report(done: float, total: float, message: str = "", *_: Any) -> None:
        nonlocal last
        if sys.stderr.isatty() and time.monotonic() - last > 0.1:
            share = f"{done / total:4.0%} " if total else ""
            click.echo(f"\r\033[K{share}{message}", nl=False, err=True)
            last = time.monotonic()

    return report

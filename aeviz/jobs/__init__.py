"""Background jobs: any `python -m aeviz ...` command as a process with status, control, lock, log and queue."""

from aeviz.jobs.job import LIVE, Job, Status, create, requeue
from aeviz.jobs.process import Spare, start, thread_settings
from aeviz.jobs.queue import Turn
from aeviz.jobs.worker import Worker, at_work
from aeviz.watch import CRASHES

__all__ = [
    "CRASHES",
    "LIVE",
    "Job",
    "Spare",
    "Status",
    "Turn",
    "Worker",
    "at_work",
    "create",
    "requeue",
    "start",
    "thread_settings",
]

"""Background jobs: any `python -m aeviz ...` command as a process with status, control, lock, log and queue."""

from aeviz.jobs.job import LIVE, Job, Status, create, requeue
from aeviz.jobs.process import Spare, start, thread_settings
from aeviz.jobs.queue import QueueTicket
from aeviz.jobs.worker import Worker, hold_job
from aeviz.watch import CRASHES

__all__ = [
    "CRASHES",
    "LIVE",
    "Job",
    "QueueTicket",
    "Spare",
    "Status",
    "Worker",
    "create",
    "hold_job",
    "requeue",
    "start",
    "thread_settings",
]

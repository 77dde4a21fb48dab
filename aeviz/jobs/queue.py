"""A device's queue. It has no dispatcher, so it advances even while the server is down."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from aeviz import files
from aeviz.errors import NotNow
from aeviz.jobs.job import START_SECONDS
from aeviz.jobs.worker import Worker


class QueueTicket:
    """A place in a device's queue: the oldest live ticket goes first."""

    def __init__(self, queue: Path, created: float, name: str) -> None:
        queue.mkdir(parents=True, exist_ok=True)
        self.queue = queue
        self.ticket = queue / f"{created:017.6f}-{name}.ticket"

    def ahead(self) -> int:
        """The number of live jobs before this one."""
        older = [ticket for ticket in self.queue.glob("*.ticket") if ticket.name < self.ticket.name]
        living = [ticket for ticket in older if files.is_locked(ticket)]
        for dead in set(older) - set(living):
            self._remove_if_old(dead)
        return len(living)

    def has_waiting(self) -> bool:
        """Whether another live job waits behind this one."""
        return any(ticket.name > self.ticket.name and files.is_locked(ticket) for ticket in self.queue.glob("*.ticket"))

    def _remove_if_old(self, ticket: Path) -> None:
        """Remove a dead job's ticket: one unlocked for long, since a new ticket is not locked at once."""
        with contextlib.suppress(FileNotFoundError):
            if time.time() - ticket.stat().st_mtime > START_SECONDS:
                ticket.unlink()

    @contextlib.contextmanager
    def wait(self, worker: Worker) -> Iterator[Self]:
        """Wait for the device, then hold it until the block ends.

        Raises:
            Stopped: a stop was requested while waiting.
        """
        with contextlib.ExitStack() as held:
            held.callback(lambda: self.ticket.unlink(missing_ok=True))
            held.enter_context(files.lock(self.ticket))
            while True:
                ahead = self.ahead()
                if not ahead:
                    try:
                        held.enter_context(files.lock(self.queue / "device", patience=0.0))
                        break
                    except NotNow:
                        ahead = 1
                worker.report(state="queued", message=f"Waiting for the device: {ahead} ahead.")
                worker.check_stop()
                time.sleep(0.1)
            yield self

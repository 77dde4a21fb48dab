"""Load: many visitors on one server, each a websocket that opens a page and reruns it after a moment's thought."""

import asyncio
import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from aeviz.runs import Run
from bench.map_run import make_run, temporary_data
from bench.measure import Say
from bench.serving import Served, serving
from bench.table import Table

POINTS = 10_000
ARRIVING_SECONDS = 10.0  # within which all visitors come
WARMING_SECONDS = 8.0  # in which a first visitor has all made ready that comes later than the first page
CROWD = 20  # sessions open at the same time where many come and go
TIDYING_SECONDS = 15.0  # in which the server collects what they have left
SILENCE_SECONDS = 60.0  # after which a visitor gives up waiting for an answer
DEFAULTS = ("--runner.postScriptGC", "true", "--server.fileWatcherType", "auto")  # as Streamlit comes


@dataclass
class Heard:
    """What one side's visitors have seen: seconds and kB of first views and reruns, closed connections, the server."""

    first: list[float] = field(default_factory=list)
    reruns: list[float] = field(default_factory=list)
    kilobytes: list[float] = field(default_factory=list)  # of reruns
    closed: int = 0
    cpu_ms: float = 0.0  # the server's processor time by rerun, what it does beside them included
    session_mb: float = 0.0


class Visitor:
    """One browser session: a first view, then reruns of the page until the time is over."""

    def __init__(self, address: str, run: Run, page: str, heard: Heard) -> None:
        self.address, self.query, self.heard = address, f"run={run.id}", heard
        self.url = f"http://{urlsplit(address).netloc}/{page}"
        self.page, self.script = page, ""

    async def visit(self, thought: float, until: float, arriving: float = 0.0) -> None:
        """Come within so many seconds and stay until a moment on the clock, thinking for a while between two reruns."""
        await asyncio.sleep(random.uniform(0, arriving))
        try:
            async with websockets.connect(self.address, max_size=None) as stream:
                seconds, _ = await self._run(stream)
                self.heard.first.append(seconds)
                while not self.heard.reruns or time.perf_counter() < until:
                    await asyncio.sleep(random.uniform(0.5, 1.5) * thought)
                    seconds, size = await self._run(stream)
                    self.heard.reruns.append(seconds)
                    self.heard.kilobytes.append(size / 1000)
        except (websockets.ConnectionClosed, TimeoutError):
            self.heard.closed += 1

    async def look(self) -> None:
        """Come for one view of the page, and leave."""
        try:
            async with websockets.connect(self.address, max_size=None) as stream:
                self.heard.first.append((await self._run(stream))[0])
        except (websockets.ConnectionClosed, TimeoutError):
            self.heard.closed += 1

    async def _run(self, stream: websockets.ClientConnection) -> tuple[float, int]:
        """Seconds from asking for a run of the script to its end, and the bytes that came."""
        asked = BackMsg()
        asked.rerun_script.query_string = self.query
        asked.rerun_script.page_name = "" if self.script else self.page
        asked.rerun_script.page_script_hash = self.script
        asked.rerun_script.context_info.url = self.url  # as browsers do
        started, size = time.perf_counter(), 0
        await stream.send(asked.SerializeToString())
        while True:
            content = await asyncio.wait_for(stream.recv(), SILENCE_SECONDS)
            size += len(content)
            if len(content) > 2000:
                continue  # an element; what is looked for is small
            message = ForwardMsg.FromString(content)  # type: ignore[arg-type]
            kind = message.WhichOneof("type")
            if kind == "navigation":
                self.script = message.navigation.page_script_hash
            elif kind == "script_finished":
                return time.perf_counter() - started, size


def measure(page: str, sessions: int, thought: float, seconds: float, say: Say) -> dict[str, Heard]:
    """What visitors of a page meet on aeviz's own settings, and on Streamlit's defaults."""
    with temporary_data():
        say(f"load: a map of {POINTS:,} points")
        run = make_run(POINTS)
        found = {}
        for side, options in (("aeviz", ()), ("Streamlit's defaults", DEFAULTS)):
            say(f"load: {sessions} sessions on the page {page}, {side}")
            with serving("app.py", options=options) as served:
                found[side] = asyncio.run(_visited(served, run, page, sessions, thought, seconds))
    return found


async def _visited(served: Served, run: Run, page: str, sessions: int, thought: float, seconds: float) -> Heard:
    """A warm server with so many visitors for so many seconds after all have come."""
    await Visitor(served.stream, run, page, Heard()).visit(0.1, time.perf_counter() + WARMING_SECONDS)
    heard, server = Heard(), psutil.Process(served.pid)
    memory, busy = server.memory_full_info().uss, server.cpu_times()
    until = time.perf_counter() + ARRIVING_SECONDS + seconds
    visitors = [Visitor(served.stream, run, page, heard) for _ in range(sessions)]
    visits = [asyncio.create_task(each.visit(thought, until, ARRIVING_SECONDS)) for each in visitors]
    await asyncio.sleep(ARRIVING_SECONDS + seconds / 2)
    heard.session_mb = (server.memory_full_info().uss - memory) / 1e6 / sessions
    await asyncio.gather(*visits)
    after = server.cpu_times()
    spent = after.user + after.system - busy.user - busy.system
    heard.cpu_ms = 1000 * spent / max(1, len(heard.reruns) + len(heard.first))
    return heard


def churn(page: str, sessions: int, say: Say) -> tuple[float, int]:
    """Private MB that so many sessions leave behind, each opened for a first view and closed; and how many were cut off."""
    with temporary_data():
        run = make_run(POINTS)
        say(f"load: {sessions} sessions opened and closed on the page {page}")
        with serving("app.py") as served:
            return asyncio.run(_churned(served, run, page, sessions))


async def _churned(served: Served, run: Run, page: str, sessions: int) -> tuple[float, int]:
    """Memory after a first crowd and again after all, each time once garbage has been collected."""
    heard, server, memory = Heard(), psutil.Process(served.pid), []
    await Visitor(served.stream, run, page, Heard()).visit(0.1, time.perf_counter() + WARMING_SECONDS)
    for count in (CROWD, sessions):
        for start in range(0, count, CROWD):
            visitors = [Visitor(served.stream, run, page, heard) for _ in range(min(CROWD, count - start))]
            await asyncio.gather(*(each.look() for each in visitors))
        await asyncio.sleep(TIDYING_SECONDS)
        memory.append(server.memory_full_info().uss / 1e6)
    return memory[1] - memory[0], heard.closed


def table(found: dict[str, Heard], page: str, sessions: int, thought: float) -> Table:
    """A row for each side."""
    rows = []
    for side, heard in found.items():
        rows.append(
            (
                side,
                f"{_share(heard.first, 0.5):.2f} / {_share(heard.first, 0.95):.2f}",
                f"{1000 * _share(heard.reruns, 0.5):.0f} / {1000 * _share(heard.reruns, 0.95):.0f}",
                str(len(heard.reruns)),
                f"{statistics.median(heard.kilobytes or [0]):.1f}",
                f"{heard.cpu_ms:.0f}",
                str(heard.closed),
                f"{heard.session_mb:.2f}",
            )
        )
    title = f"Load: page {page}, {POINTS:,} codes, {sessions} sessions, {thought:g} s of thought"
    header = (
        "settings", "first view p50 / p95, s", "rerun p50 / p95, ms", "reruns", "kB by rerun", "processor ms by run",
        "closed", "MB by session",
    )  # fmt: skip
    return Table(title, header, rows)


def _share(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed; nan where there are none."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")

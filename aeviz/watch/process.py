"""Two processes for one line: the child does the work, its parent waits and tells how it died."""

import array
import contextlib
import faulthandler
import itertools
import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NoReturn

from aeviz.watch.report import report_death

MOST_TOLD = 2**20  # bytes of what one line says of itself
FROM_TERMINAL = 0x80  # si_code of a signal that the kernel has sent, to the whole foreground group

# A process has one watcher, as it has one standard error; None where nobody watches.
_watcher: socket.socket | None = None
_told: dict[str, Any] = {}


def begin() -> None:
    """Go on as the child of a process that does nothing but wait for it; call it before anything heavy is imported.

    The parent passes signals on, ends as the child ends, and writes "failed" into the status of the job that the child
    held when a signal ended it. If the parent is killed, the child goes with it. Where a process cannot fork (Windows)
    nobody watches.
    """
    global _watcher
    if not hasattr(os, "fork"):
        return
    running(sys.argv[1:])
    mine, theirs = socket.socketpair()
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, _passed_on() | {signal.SIGCHLD})
    child = os.fork()
    if child:
        theirs.close()
        _watch(child, mine)
    mine.close()
    _watcher = theirs
    threading.Thread(target=_follow, args=(theirs,), daemon=True).start()  # deaf to signals, which it inherits
    signal.pthread_sigmask(signal.SIG_SETMASK, usual)
    faulthandler.enable()


def running(arguments: list[str]) -> None:
    """Tell the watcher which line this process runs, and so which job it is about to take up."""
    paths = [after for name, after in itertools.pairwise(arguments) if name == "--job"]
    if arguments[:1] == ["work"]:
        paths = arguments[1:2]
    _tell(arguments=arguments, job=paths[0] if paths else None, held=False)


@contextlib.contextmanager
def holding(job: Path, lock: IO[bytes]) -> Iterator[None]:
    """Tell the watcher which job this process holds: its lock then outlives the process until the death is written.

    A crash leaves the Python stacks of all threads in the job's log.
    """
    if _watcher is None:
        yield
        return
    _tell(lock, job=str(job), held=True)
    with open(job / "log.txt", "ab") as log:
        faulthandler.enable(log)
        try:
            yield
        finally:
            faulthandler.enable()
            _tell(job=None, held=False)


def _tell(lock: IO[bytes] | None = None, **facts: Any) -> None:
    """Say more of this process. The lock travels beside the words, and is held for as long as they lie unread."""
    log = Path(facts["job"] or "", "log.txt")
    _told.update(facts, log=log.stat().st_size if facts["job"] and log.exists() else 0)
    if _watcher is None:
        return
    words, handles = json.dumps(_told).encode() + b"\n", [] if lock is None else [lock.fileno()]
    with contextlib.suppress(BrokenPipeError):  # the watcher was killed, and we are about to follow
        socket.send_fds(_watcher, [words], handles)


def _follow(watcher: socket.socket) -> None:
    """Wait until the watcher is gone, which only a SIGKILL brings about, and end in the same way."""
    with contextlib.suppress(ConnectionResetError):  # it left with our words unread
        watcher.recv(1)
    report_death(_told, os.getpid(), signal.SIGKILL, time.time())
    os.kill(os.getpid(), signal.SIGKILL)


def _passed_on() -> set[signal.Signals]:
    """What is passed on to the child; stopping and continuing, as a terminal asks for it, reaches both anyway."""
    kept = (
        "SIGKILL",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGCONT",
        "SIGCHLD",
        "SIGWINCH",
        "SIGURG",
        "SIGPIPE",
    )
    return {each for each in signal.Signals if each.name not in kept}


def _watch(child: int, mine: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, lambda *_: None)  # it may be ignored, and then nobody could wait
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # whoever is at the other end has to do with the child alone
        os.dup2(nowhere, stream)
    status = _ending(child)
    died = time.time()
    if os.WIFSIGNALED(status):
        told, locks = _heard(mine)
        report_death(told, child, signal.Signals(os.WTERMSIG(status)), died)
        for lock in locks:
            os.close(lock)
    _end_like(status)


def _ending(child: int) -> int:
    """Wait for the child, passing signals on to it; how it has ended."""
    heard = _passed_on() | {signal.SIGCHLD}
    while True:
        number, reached_both = _next_signal(heard)
        if number == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status
        elif not reached_both:
            os.kill(child, number)


def _next_signal(heard: set[signal.Signals]) -> tuple[int, bool]:
    """The next signal, and whether a terminal has sent it to the child as well."""
    if hasattr(signal, "sigwaitinfo"):
        came = signal.sigwaitinfo(heard)
        return came.si_signo, came.si_code == FROM_TERMINAL
    number = signal.sigwait(heard)
    return number, number in (signal.SIGINT, signal.SIGQUIT) and _is_at_a_terminal()


def _is_at_a_terminal() -> bool:
    try:
        with open("/dev/tty", "rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _heard(mine: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """What the child said last, or what was known before it was born, and the locks that came with it."""
    mine.setblocking(False)
    said, locks = b"", list[int]()
    with contextlib.suppress(BlockingIOError):
        while len(said) < MOST_TOLD:
            part, handles, _, _ = socket.recv_fds(mine, 2**16, array.array("i").itemsize * 4)
            said, locks = said + part, locks + handles
            if not part:
                break
    lines = said[: said.rfind(b"\n") + 1].splitlines()
    return json.loads(lines[-1]) if lines else _told, locks


def _end_like(status: int) -> NoReturn:
    """End with the child's exit status, or by the signal that ended it: whoever started us sees no difference."""
    if os.WIFSIGNALED(status):
        import resource

        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # one core is enough
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os._exit(os.waitstatus_to_exitcode(status))

"""Two processes per command: the child does the work, its parent waits and reports how it died."""

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

MAX_MESSAGE = 2**20  # limit on the messages read from a child, in bytes
FROM_TERMINAL = 0x80  # si_code of a signal sent by the kernel, that is, by the terminal to the whole foreground group

# The socket to the watcher; None if there is no watcher.
_watcher: socket.socket | None = None
_facts: dict[str, Any] = {}


def fork_worker() -> None:
    """Fork, and continue in the child while the parent only waits; call this before anything heavy is imported.

    The parent forwards signals, exits as the child exits, and writes "failed" into the status of the child's job if a
    signal kills the child. If the parent is killed, the child exits too. On systems without fork (Windows) there is no
    watcher.
    """
    global _watcher
    if not hasattr(os, "fork"):
        return
    set_command(sys.argv[1:])
    mine, theirs = socket.socketpair()
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, _forwarded_signals() | {signal.SIGCHLD})
    child = os.fork()
    if child:
        theirs.close()
        _watch(child, mine)
    mine.close()
    _watcher = theirs
    threading.Thread(target=_die_with, args=(theirs,), daemon=True).start()  # inherits the blocked signals
    signal.pthread_sigmask(signal.SIG_SETMASK, usual)
    faulthandler.enable()


def set_command(arguments: list[str]) -> None:
    """Tell the watcher which command this process runs, and so which job it is about to start."""
    paths = [after for name, after in itertools.pairwise(arguments) if name == "--job"]
    if arguments[:1] == ["work"]:
        paths = arguments[1:2]
    _send(arguments=arguments, job=paths[0] if paths else None, held=False)


@contextlib.contextmanager
def holding_job(job: Path, lock: IO[bytes]) -> Iterator[None]:
    """Tell the watcher which job this process holds; its lock then outlives the process until the death is recorded.

    A crash dumps the Python stacks of all threads into the job's log.
    """
    if _watcher is None:
        yield
        return
    _send(lock, job=str(job), held=True)
    with open(job / "log.txt", "ab") as log:
        faulthandler.enable(log)
        try:
            yield
        finally:
            faulthandler.enable()
            _send(job=None, held=False)


def _send(lock: IO[bytes] | None = None, **facts: Any) -> None:
    """Send the watcher more about this process. The lock travels with the message and is held while that is unread."""
    log = Path(facts["job"] or "", "log.txt")
    _facts.update(facts, log=log.stat().st_size if facts["job"] and log.exists() else 0)
    if _watcher is None:
        return
    message, handles = json.dumps(_facts).encode() + b"\n", [] if lock is None else [lock.fileno()]
    with contextlib.suppress(BrokenPipeError):  # the watcher was killed, and so will we be
        socket.send_fds(_watcher, [message], handles)


def _die_with(watcher: socket.socket) -> None:
    """Wait until the watcher is gone, which takes a SIGKILL, and end the same way."""
    with contextlib.suppress(ConnectionResetError):  # it died with unread messages
        watcher.recv(1)
    report_death(_facts, os.getpid(), signal.SIGKILL, time.time())
    os.kill(os.getpid(), signal.SIGKILL)


def _forwarded_signals() -> set[signal.Signals]:
    """The signals forwarded to the child; job control from a terminal reaches both processes anyway."""
    excluded = (
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
    return {each for each in signal.Signals if each.name not in excluded}


def _watch(child: int, mine: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, lambda *_: None)  # SIGCHLD may be ignored, and then waitpid would fail
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):  # only the child reads and writes these
        os.dup2(nowhere, stream)
    status = _wait_for(child)
    died = time.time()
    if os.WIFSIGNALED(status):
        facts, locks = _received(mine)
        report_death(facts, child, signal.Signals(os.WTERMSIG(status)), died)
        for lock in locks:
            os.close(lock)
    _exit_like(status)


def _wait_for(child: int) -> int:
    """Wait for the child, forwarding signals to it; return its wait status."""
    awaited = _forwarded_signals() | {signal.SIGCHLD}
    while True:
        number, reached_both = _next_signal(awaited)
        if number == signal.SIGCHLD:
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                return status
        elif not reached_both:
            os.kill(child, number)


def _next_signal(awaited: set[signal.Signals]) -> tuple[int, bool]:
    """The next signal, and whether a terminal has sent it to the child as well."""
    if hasattr(signal, "sigwaitinfo"):
        came = signal.sigwaitinfo(awaited)
        return came.si_signo, came.si_code == FROM_TERMINAL
    number = signal.sigwait(awaited)
    return number, number in (signal.SIGINT, signal.SIGQUIT) and _is_at_a_terminal()


def _is_at_a_terminal() -> bool:
    try:
        with open("/dev/tty", "rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _received(mine: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The child's last message, or what was known before the fork, and the locks sent with it."""
    mine.setblocking(False)
    received, locks = b"", list[int]()
    with contextlib.suppress(BlockingIOError):
        while len(received) < MAX_MESSAGE:
            part, handles, _, _ = socket.recv_fds(mine, 2**16, array.array("i").itemsize * 4)
            received, locks = received + part, locks + handles
            if not part:
                break
    lines = received[: received.rfind(b"\n") + 1].splitlines()
    return json.loads(lines[-1]) if lines else _facts, locks


def _exit_like(status: int) -> NoReturn:
    """Exit with the child's exit status or by its signal, so that our parent sees no difference."""
    if os.WIFSIGNALED(status):
        import resource

        number = os.WTERMSIG(status)
        resource.setrlimit(
            resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1])
        )  # one core dump is enough
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os._exit(os.waitstatus_to_exitcode(status))

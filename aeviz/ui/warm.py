"""Warm-up of the server: imports in the background, first what the first page needs, then the rest.

Scripts wait for imports to finish, so that they never see half-imported modules.
"""

import contextlib
import gc
import importlib
import pkgutil
import threading
import time
from collections.abc import AsyncIterator, Iterable
from typing import Any

import streamlit as st

from aeviz.jobs import Spare
from aeviz.jobs.memory import release_memory, trim_heap
from aeviz.ui.streamlit_internals import has_no_visitors, is_script_running

QUIET_SECONDS = 2.0  # without a running script before garbage is collected
MOST_SECONDS = 10.0  # after which garbage is collected in any case
LOOK_SECONDS = 0.25  # between checks for running scripts
FIRST_PAGE_SECONDS = 5.0  # to wait for a first page before the remaining imports
SCIENCE = ("scipy.linalg", "scipy.ndimage", "scipy.sparse.csgraph", "scipy.spatial")
STATISTICS = ("sklearn.linear_model", "sklearn.mixture")


@contextlib.asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Start the warm-up in a thread: browsers load Streamlit's own scripts before they request a page."""
    threading.Thread(target=_get_ready, name="warm", daemon=True).start()
    yield


def _get_ready() -> None:
    core()
    first_page().wait(FIRST_PAGE_SECONDS)
    spare().prepare()
    everything()
    while True:
        visits().tidy()


class Visits:
    """Tracks script runs and sessions, to collect garbage while no script is running.

    Streamlit collects after every script run (`runner.postScriptGC`, off in our settings), which delays all sessions.
    Under continuous load, collection waits at most `MOST_SECONDS`.
    """

    def __init__(self) -> None:
        self._news = threading.Event()
        self._last = 0.0

    def ended(self) -> None:
        """Record the end of a script run."""
        self._last = time.monotonic()
        self._news.set()

    def left(self) -> None:
        """Record the end of a session."""
        self._news.set()

    def tidy(self) -> None:
        """Wait for the end of a script run or session and a quiet moment, then collect garbage."""
        self._news.wait()
        self._news.clear()
        self._wait_until_quiet()
        if has_no_visitors() and not is_script_running():
            # Objects frozen while sessions were active may include some of theirs.
            gc.unfreeze()
            freeze_objects()
        else:
            gc.collect()
        trim_heap()

    def _wait_until_quiet(self) -> None:
        """Wait until no script or fragment has run for `QUIET_SECONDS`, at most `MOST_SECONDS`."""
        end = time.monotonic() + MOST_SECONDS
        while True:
            now = time.monotonic()
            if is_script_running():
                self._last = now
            left = min(self._last + QUIET_SECONDS, end) - now
            if left <= 0:
                return
            time.sleep(min(left, LOOK_SECONDS))


def freeze_objects() -> None:
    """Collect garbage, then exclude all remaining objects from later collections: torch's alone cost 150 ms.

    Objects of active sessions are frozen too; their cycles are freed only when this runs again without sessions.
    """
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def core() -> bool:
    """Import what every page needs, once; concurrent callers wait."""
    import torch

    import aeviz.ui.components.home  # noqa: F401

    # Training processes need the cores; two threads on two busy cores are far slower than one.
    torch.set_num_threads(1)
    return True


@st.cache_resource(show_spinner=False)
def first_page() -> threading.Event:
    """An event that is set when the first page has been drawn."""
    return threading.Event()


@st.cache_resource(show_spinner=False)
def visits() -> Visits:
    """The server's `Visits`, shared by all sessions."""
    return Visits()


@st.cache_resource(scope="session", on_release=Visits.left, show_spinner=False)
def visit() -> Visits:
    """The server's `Visits`, notified when this session ends; call it in every script run."""
    return visits()


@st.cache_resource(show_spinner=False)
def everything() -> bool:
    """Import what any page needs, once, and release unused memory."""
    core()
    _import_all(SCIENCE)
    import aeviz.ui.components
    import aeviz.ui.serve.answers
    from aeviz.models import model_config
    from aeviz.models.costs import outline

    _import_all(found.name for found in pkgutil.walk_packages(aeviz.ui.components.__path__, "aeviz.ui.components."))
    aeviz.ui.serve.answers.packed_plotly()
    # The first shape inference of a convolution takes torch 0.4 s.
    outline(model_config({"sample_shape": (1, 8, 8), "latent_dim": 2, "body": {"name": "conv"}}))
    freeze_objects()
    release_memory()
    return True


def _import_all(names: Iterable[str]) -> None:
    for name in names:
        importlib.import_module(name)


def _import_and_freeze(names: Iterable[str]) -> None:
    """Import modules and exclude their objects from later garbage collections."""
    _import_all(names)
    freeze_objects()


@st.cache_resource(show_spinner=False)
def statistics() -> threading.Thread:
    """Import scikit-learn in a thread, once, when a page that may need it is opened.

    The import takes 1.4 s and 150 MB, which only these pages need. Half-imported modules are no risk: all parts of
    scipy that we import are loaded by now, and concurrent imports of scikit-learn wait at Python's import lock.
    """
    thread = threading.Thread(target=_import_and_freeze, args=(STATISTICS,), daemon=True)
    thread.start()
    return thread


@st.cache_resource(show_spinner=False)
def spare() -> Spare:
    """The spare process for the next job, shared by all sessions."""
    return Spare()

"""What is made ready once per server, in the order it is needed: the first page first, the rest before it is asked for.

Nobody's script runs beside an import of ours, where it would meet half-imported modules: it waits until that is done.
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
from streamlit import runtime

from aeviz.jobs import Spare
from aeviz.jobs.memory import release_memory, trim_heap

QUIET_SECONDS = 2.0  # without a script, after which there is time to collect garbage
MOST_SECONDS = 10.0  # after which garbage is collected all the same
LOOK_SECONDS = 0.25  # between two looks for silence
SCRIPT_THREAD = "ScriptRunner.scriptThread"  # as Streamlit calls it
FIRST_PAGE_SECONDS = 5.0  # for a first visitor to come before the rest is made ready
SCIENCE = ("scipy.linalg", "scipy.ndimage", "scipy.sparse.csgraph", "scipy.spatial")
STATISTICS = ("sklearn.linear_model", "sklearn.mixture")


@contextlib.asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Answer at once, and get ready meanwhile: a browser fetches Streamlit's own scripts before it asks for a page."""
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
    """Who comes, runs scripts and leaves, so that garbage is collected while nobody waits for an answer.

    Streamlit's own way is to collect after every script (`runner.postScriptGC`, off in our settings), which holds all
    visitors up. Under a load that never pauses, what is left behind waits no longer than `MOST_SECONDS`.
    """

    def __init__(self) -> None:
        self._news = threading.Event()
        self._last = 0.0

    def ended(self) -> None:
        """Note that a script has ended."""
        self._last = time.monotonic()
        self._news.set()

    def left(self) -> None:
        """Note that a visitor has left, and with them what their session held."""
        self._news.set()

    def tidy(self) -> None:
        """Wait for news and for the silence after it, then collect what sessions have left behind."""
        self._news.wait()
        self._news.clear()
        self._wait_for_silence()
        if is_empty() and not is_running():
            # What was left out while visitors were here holds some of theirs, too.
            gc.unfreeze()
            leave_out()
        else:
            gc.collect()
        trim_heap()

    def _wait_for_silence(self) -> None:
        """Until no script has run for a while, parts of pages included, or one can wait no longer."""
        end = time.monotonic() + MOST_SECONDS
        while True:
            now = time.monotonic()
            if is_running():
                self._last = now
            left = min(self._last + QUIET_SECONDS, end) - now
            if left <= 0:
                return
            time.sleep(min(left, LOOK_SECONDS))


def is_running() -> bool:
    """Whether a script is under way, be it of a whole page or of a part of it: Streamlit gives each a thread."""
    return any(thread.name == SCRIPT_THREAD for thread in threading.enumerate())


def is_empty() -> bool:
    """Whether no visitor is connected."""
    return (
        not runtime.exists() or runtime.get_instance().state is not runtime.RuntimeState.ONE_OR_MORE_SESSIONS_CONNECTED
    )


def leave_out() -> None:
    """Collect garbage, and leave what is here now out of later collections: they cost 150 ms over torch's objects.

    What a visitor has here goes with it, and cycles of it stay until this is done again without visitors.
    """
    gc.collect()
    gc.freeze()


@st.cache_resource(show_spinner=False)
def core() -> bool:
    """Have imported, once, what every page needs; whoever comes meanwhile waits here."""
    import torch

    import aeviz.ui.components.welcome  # noqa: F401

    # A training next door needs the cores; two threads on two busy cores are far slower than one.
    torch.set_num_threads(1)
    return True


@st.cache_resource(show_spinner=False)
def first_page() -> threading.Event:
    """Set as soon as a first visitor has a page."""
    return threading.Event()


@st.cache_resource(show_spinner=False)
def visits() -> Visits:
    """The visits of this server, one account for all."""
    return Visits()


@st.cache_resource(scope="session", on_release=Visits.left, show_spinner=False)
def visit() -> Visits:
    """The account again, told when this session's visitor leaves; to be called in every script."""
    return visits()


@st.cache_resource(show_spinner=False)
def everything() -> bool:
    """Have imported, once, what any page needs, and nothing in memory that nobody does."""
    core()
    _import_all(SCIENCE)
    import aeviz.ui.components
    import aeviz.ui.serve.answers
    from aeviz.models import model_config
    from aeviz.models.costs import outline

    _import_all(found.name for found in pkgutil.walk_packages(aeviz.ui.components.__path__, "aeviz.ui.components."))
    aeviz.ui.serve.answers.packed_plotly()
    # torch takes 0.4 s to know the shapes of a first convolution.
    outline(model_config({"sample_shape": (1, 8, 8), "latent_dim": 2, "body": {"name": "conv"}}))
    leave_out()
    release_memory()
    return True


def _import_all(names: Iterable[str]) -> None:
    for name in names:
        importlib.import_module(name)


def _import_for_good(names: Iterable[str]) -> None:
    """Import, and leave what has come out of later collections."""
    _import_all(names)
    leave_out()


@st.cache_resource(show_spinner=False)
def statistics() -> threading.Thread:
    """Import scikit-learn beside the visitors, once, as soon as a page is open that may ask it for something.

    Those 1.4 s and 150 MB are for these pages only. Nobody meets a part of it: all of scipy that we import ourselves is
    here by now, and whoever imports scikit-learn meanwhile waits at its own lock.
    """
    thread = threading.Thread(target=_import_for_good, args=(STATISTICS,), daemon=True)
    thread.start()
    return thread


@st.cache_resource(show_spinner=False)
def spare() -> Spare:
    """The process that waits for the next training, one for all visitors."""
    return Spare()

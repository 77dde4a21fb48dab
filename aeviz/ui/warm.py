"""What is made ready once per server, in the order it is needed: the first page first, the rest before it is asked for.

Nobody's script runs beside an import of ours, where it would meet half-imported modules: it waits until that is done.
"""

import contextlib
import gc
import importlib
import pkgutil
import threading
from collections.abc import AsyncIterator
from typing import Any

import streamlit as st

from aeviz.jobs import Spare
from aeviz.jobs.memory import give_back

FIRST_PAGE_SECONDS = 5.0  # for a first visitor to come before the rest is made ready
SCIENCE = ("scipy.linalg", "scipy.ndimage", "scipy.sparse.csgraph", "scipy.spatial")


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
def everything() -> bool:
    """Have imported, once, what any page needs, and nothing in memory that nobody does.

    Streamlit collects garbage after every script, which costs 150 ms over torch's objects: those of now are left out.
    """
    core()
    for name in SCIENCE:
        importlib.import_module(name)
    import aeviz.ui.components
    import aeviz.ui.serve.answers

    for module in pkgutil.walk_packages(aeviz.ui.components.__path__, "aeviz.ui.components."):
        importlib.import_module(module.name)
    aeviz.ui.serve.answers.packed_plotly()
    gc.collect()
    gc.freeze()
    give_back()
    return True


@st.cache_resource(show_spinner=False)
def spare() -> Spare:
    """The process that waits for the next training, one for all visitors."""
    return Spare()

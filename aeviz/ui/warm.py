"""What is made ready once per server: heavy imports, few threads, and a short garbage collection."""

import contextlib
import gc
from collections.abc import AsyncIterator
from typing import Any

import streamlit as st

from aeviz.jobs import Spare


def _import_heavy() -> None:
    """What the pages will need, before the first visitor waits for it."""
    import plotly.graph_objects
    import sklearn.decomposition  # noqa: F401
    import torch

    import aeviz.results
    import aeviz.training  # noqa: F401

    # A training next door needs the cores; two threads on two busy cores are far slower than one.
    torch.set_num_threads(1)
    plotly.graph_objects.Figure()


@contextlib.asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Warm up before the first visitor is let in.

    Not in a thread beside them: a visitor's own imports would meet half-imported modules.
    """
    _import_heavy()
    spare().prepare()
    yield


@st.cache_resource(show_spinner=False)
def spare() -> Spare:
    """The process that waits for the next training, one for all visitors."""
    return Spare()


@st.cache_resource(show_spinner=False)
def warm_up() -> bool:
    """Once per process: Streamlit collects garbage after every script, which costs 150 ms over torch's objects."""
    _import_heavy()
    gc.collect()
    gc.freeze()
    return True

"""Garbage of sessions is collected while nobody waits: also after the last has left, and under a load that never pauses."""

import gc
import threading
import types
import weakref

import pytest
from streamlit.runtime.caching import clear_session_resource_cache
from streamlit.testing.v1 import AppTest

from aeviz.ui import warm

pytestmark = pytest.mark.usefixtures("clear_caches")


class Cycle:
    """What only a collection removes."""

    def __init__(self):
        self.itself = self


@pytest.fixture
def clock(monkeypatch):
    """A clock that only sleeping moves; what `clock.meanwhile` says happens meanwhile."""
    clock = types.SimpleNamespace(now=1000.0, meanwhile=lambda: None)

    def sleep(seconds):
        assert clock.now < 2000, "it sleeps for ever"
        clock.now += seconds
        clock.meanwhile()

    monkeypatch.setattr(warm, "time", types.SimpleNamespace(monotonic=lambda: clock.now, sleep=sleep))
    return clock


@pytest.fixture
def thawed():
    """Nothing of a test stays out of later collections."""
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("thawed", "clock")
def test_what_was_left_out_while_visitors_were_here_goes_when_they_have_gone():
    visits, cycle = warm.Visits(), Cycle()
    gone = weakref.ref(cycle)
    gc.freeze()  # as when the rest is made ready beside a first visitor
    del cycle
    visits.ended()
    visits.tidy()
    assert gone() is None
    assert gc.get_freeze_count() > 0


@pytest.mark.usefixtures("thawed")
def test_what_visitors_hold_is_not_left_out_for_ever(clock, monkeypatch):
    monkeypatch.setattr(warm, "has_no_visitors", lambda: False)
    visits, frozen = warm.Visits(), gc.get_freeze_count()
    visits.ended()
    visits.tidy()
    assert gc.get_freeze_count() <= frozen


@pytest.mark.usefixtures("thawed")
def test_scripts_that_never_pause_put_off_a_collection_for_a_while_only(clock):
    visits = warm.Visits()
    clock.meanwhile = visits.ended
    cycle = Cycle()
    gone = weakref.ref(cycle)
    del cycle
    visits.ended()
    visits.tidy()
    assert gone() is None


@pytest.mark.usefixtures("thawed")
def test_a_collection_waits_for_a_part_of_a_page_that_is_being_drawn(clock, monkeypatch):
    visits, end, at_work = warm.Visits(), threading.Event(), []
    script = threading.Thread(target=end.wait, name="ScriptRunner.scriptThread")
    script.start()
    monkeypatch.setattr(
        warm, "gc", types.SimpleNamespace(**vars(gc) | {"collect": lambda: at_work.append(script.is_alive())})
    )
    visits.ended()
    clock.now += 5

    def meanwhile():
        if clock.now > 1007 and script.is_alive():
            end.set()
            script.join()

    clock.meanwhile = meanwhile
    try:
        visits.tidy()
    finally:
        end.set()
    assert at_work == [False]


@pytest.mark.usefixtures("thawed", "clock")
def test_the_last_visitor_who_leaves_is_tidied_up_after():
    def script():
        from aeviz.ui import warm

        warm.visit().ended()

    AppTest.from_function(script).run()
    visits = warm.visits()
    visits.tidy()
    clear_session_resource_cache("test session id")  # as Streamlit does when a browser is gone
    tidying = threading.Thread(target=visits.tidy, daemon=True)
    tidying.start()
    tidying.join(60)
    assert not tidying.is_alive()

"""The undocumented parts of Streamlit that aeviz uses are where it expects them; a failure here means that they moved."""

import ast
import threading
from pathlib import Path

from streamlit import runtime
from streamlit.testing.v1 import AppTest

from aeviz.ui import streamlit_internals as internals

ROOT = Path(__file__).resolve().parent.parent
PUBLIC = {"streamlit", "streamlit.delta_generator", "streamlit.testing.v1"}


def test_scripts_run_in_threads_of_the_expected_name():
    def script():
        import threading

        import streamlit as st

        st.text(threading.current_thread().name)

    assert AppTest.from_function(script).run().text[0].value == internals.SCRIPT_THREAD, (
        "Streamlit has renamed its script threads: change SCRIPT_THREAD"
    )


def test_a_script_thread_is_recognised():
    end = threading.Event()
    thread = threading.Thread(target=end.wait, name=internals.SCRIPT_THREAD)
    thread.start()
    try:
        assert internals.is_script_running()
    finally:
        end.set()
        thread.join()


def test_an_expander_is_an_expander_container():
    def script():
        import streamlit as st

        from aeviz.ui.streamlit_internals import ExpanderContainer

        place = st.expander("Settings", on_change="rerun", key="settings")
        st.text(f"{isinstance(place, ExpanderContainer)} {place.open}")

    assert AppTest.from_function(script).run().text[0].value == "True False"


def test_the_runtime_tells_whether_sessions_are_connected():
    assert isinstance(runtime.RuntimeState.ONE_OR_MORE_SESSIONS_CONNECTED, runtime.RuntimeState)
    assert isinstance(runtime.Runtime.state, property)


def test_hosts_are_checked_by_name():
    assert isinstance(internals.is_host_allowed("localhost:8501"), bool)


def test_the_font_of_the_pages_is_found():
    found = internals.font_file()
    assert found is not None, "Streamlit has moved its fonts: change FONTS"
    assert found.suffix in (".ttf", ".woff", ".woff2")


def test_only_one_module_imports_from_inside_streamlit():
    for path in [*ROOT.glob("aeviz/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]:
        if path.name == "streamlit_internals.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
                if node.module == "streamlit":
                    names += [f"streamlit.{alias.name}" for alias in node.names]
            inside = {name for name in names if name.partition(".")[0] == "streamlit"} - PUBLIC
            assert not inside, f"{path.relative_to(ROOT)} imports {inside}; use aeviz.ui.streamlit_internals"

"""The main script: warm-up, sidebar with run picker and menu, then the page."""

from pathlib import Path

import streamlit as st

from aeviz.ui import menu, warm

FIRST = menu.MENU["home"].title  # drawn before everything is imported
FITTING = (menu.MENU["walk"].title, menu.MENU["generate"].title)  # these fit directions and mixtures with scikit-learn
ICON = Path(__file__).with_name("icon.png")
LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 132 32" height="32">
<path d="M3 4 L15 13 V19 L3 28 Z" fill="#4f46e5"/><path d="M33 4 L21 13 V19 L33 28 Z" fill="#e5733f"/>
<circle cx="18" cy="16" r="2.6" fill="#8b8f9c"/>
<text x="42" y="23" font-family="Source Sans, Source Sans Pro, Helvetica, Arial, sans-serif" font-size="22"
 font-weight="650" fill="#7c74ff">aeviz</text></svg>"""


def main() -> None:
    """Run the app for one session."""
    st.set_page_config(page_title="aeviz", page_icon=str(ICON), layout="wide")
    st.logo(LOGO, size="large")
    account = warm.visit()
    chosen = st.navigation(menu.pages(), position="hidden")
    if chosen.title == FIRST:
        warm.core()
    else:
        warm.everything()
    # Only now, because these wait for imports of the warm-up.
    from aeviz.ui import pick
    from aeviz.ui.components.bridges import notice_viewport

    with st.sidebar:
        pick.run_picker()
        menu.links()
        notice_viewport(chosen.title)
    if chosen.title in FITTING:
        warm.statistics()
    try:
        chosen.run()
    finally:
        warm.first_page().set()
        account.ended()


if __name__ == "__main__":
    main()

"""Page Home: a demo, and the existing runs and data sets."""

from aeviz.ui.components.home import intro, overview
from aeviz.ui.frame import page

with page("home"):
    busy = intro()
    if not busy:
        overview()

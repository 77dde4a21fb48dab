"""What is here, and where to begin."""

from aeviz.ui.components.welcome import shelf, welcome
from aeviz.ui.frame import page

with page("home"):
    busy = welcome()
    if not busy:
        shelf()

"""Which images are here, what they look like, and bringing your own."""

from aeviz.ui.components.data.album import album, bring, set_picker
from aeviz.ui.frame import controls_and_canvas, in_sight, page

with page("data"):
    controls, canvas = controls_and_canvas()
    with controls:
        info = set_picker()
    with in_sight(controls, canvas):
        bring()
    with canvas:
        album(info)

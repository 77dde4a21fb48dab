"""Page Data: browse data sets and import images."""

from aeviz.ui.components.data.browser import browse, import_button, set_picker
from aeviz.ui.frame import controls_and_canvas, page, visible_slot

with page("data"):
    controls, canvas = controls_and_canvas()
    with controls:
        info = set_picker()
    with visible_slot(controls, canvas):
        import_button()
    with canvas:
        browse(info)

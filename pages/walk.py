"""Page Walk: paths between codes, axes, directions and means."""

from aeviz.ui.components.images.image_picker import your_images_button
from aeviz.ui.components.views import view_picker
from aeviz.ui.components.walk.views import WALKS
from aeviz.ui.frame import controls_and_canvas, page, require_run, show_errors

with page("walk"):
    run = require_run()
    view = view_picker(WALKS, "walk.view")
    controls, canvas = controls_and_canvas()
    with controls:
        chosen = view.controls(run)
        your_images_button(run, "walk")
    with canvas, show_errors():
        view.canvas(run, chosen)

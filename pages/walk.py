"""What lies between images: roads from one code to another, axes, directions, and means."""

from aeviz.ui.components.images.one_image import images_of_yours
from aeviz.ui.components.views import view_picker
from aeviz.ui.components.walk.views import WALKS
from aeviz.ui.frame import controls_and_canvas, kindly, needed_run, page

with page("walk"):
    run = needed_run()
    view = view_picker(WALKS, "walk.view")
    controls, canvas = controls_and_canvas()
    with controls:
        chosen = view.controls(run)
        images_of_yours(run, "walk")
    with canvas, kindly():
        view.canvas(run, chosen)

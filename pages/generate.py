"""New images: drawn at random and judged, or laid out over a plane of codes."""

from aeviz.ui.components.generate.views import GENERATED
from aeviz.ui.components.images.one_image import images_of_yours
from aeviz.ui.components.views import view_picker
from aeviz.ui.frame import controls_and_canvas, kindly, needed_run, page

with page("generate"):
    run = needed_run()
    view = view_picker(GENERATED, "generate.view")
    controls, canvas = controls_and_canvas()
    with controls:
        chosen = view.controls(run)
        images_of_yours(run, "generate")
    with canvas, kindly():
        view.canvas(run, chosen)

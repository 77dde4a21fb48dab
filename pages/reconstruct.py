"""Page Reconstruct: original, reconstruction and error side by side."""

from aeviz.ui.components.reconstruct.views import image_picker, view_of, view_picker
from aeviz.ui.frame import controls_and_canvas, page, require_run

with page("reconstruct"):
    run = require_run()
    controls, canvas = controls_and_canvas(share=3, fold=False)
    with controls:
        chosen = image_picker(run)
    with canvas:
        view_of(view_picker(), run, chosen)

"""Page Generate: random samples with their scores, and decoded planes of latent space."""

from aeviz.ui.components.generate.views import GENERATED
from aeviz.ui.components.images.image_picker import your_images_button
from aeviz.ui.components.views import view_picker
from aeviz.ui.frame import controls_and_canvas, page, require_run, show_errors

with page("generate"):
    run = require_run()
    view = view_picker(GENERATED, "generate.view")
    controls, canvas = controls_and_canvas()
    with controls:
        chosen = view.controls(run)
        your_images_button(run, "generate")
    with canvas, show_errors():
        view.canvas(run, chosen)

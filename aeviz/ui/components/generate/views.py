"""The views of the page Generate."""

from aeviz.ui.components.generate.planes import plane_canvas, plane_controls
from aeviz.ui.components.generate.samples import samples_canvas, samples_controls
from aeviz.ui.components.views import View

GENERATED = {
    "samples": View("Samples", ":material/casino:", "new images, drawn at random.", samples_controls, samples_canvas),
    "manifold": View(
        "Manifold",
        ":material/grid_view:",
        "decoded images over two axes of latent space.",
        plane_controls,
        plane_canvas,
    ),
}

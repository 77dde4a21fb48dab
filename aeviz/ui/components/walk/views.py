"""The views of the page Walk."""

from aeviz.ui.components.views import View
from aeviz.ui.components.walk.analogies import direction_canvas, direction_controls
from aeviz.ui.components.walk.axes import axes_canvas, axes_controls
from aeviz.ui.components.walk.means import means_canvas, means_controls
from aeviz.ui.components.walk.paths import path_canvas, path_controls

WALKS = {
    "paths": View(
        "Paths", ":material/route:", "paths between images through latent space.", path_controls, path_canvas
    ),
    "axes": View(
        "Dimensions", ":material/grid_on:", "the effect of each axis of latent space.", axes_controls, axes_canvas
    ),
    "directions": View(
        "Directions",
        ":material/trending_flat:",
        "what changes one kind of image into another.",
        direction_controls,
        direction_canvas,
    ),
    "means": View("Mean", ":material/functions:", "the mean of many images.", means_controls, means_canvas),
}

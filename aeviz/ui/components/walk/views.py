"""The views of the page Walk."""

from aeviz.ui.components.views import View
from aeviz.ui.components.walk.analogies import direction_canvas, direction_controls
from aeviz.ui.components.walk.axes import axes_canvas, axes_controls
from aeviz.ui.components.walk.means import means_canvas, means_controls
from aeviz.ui.components.walk.paths import path_canvas, path_controls

WALKS = {
    "road": View("Road", ":material/route:", "what lies between images.", path_controls, path_canvas),
    "axes": View("Dimensions", ":material/grid_on:", "what each axis of the space does.", axes_controls, axes_canvas),
    "directions": View(
        "Directions", ":material/trending_flat:", "what turns one kind of image into another.", direction_controls, direction_canvas
    ),
    "means": View("Mean", ":material/functions:", "what many images have in common.", means_controls, means_canvas),
}  # fmt: skip

"""What lies between two images: the road from one code to the other, decoded."""

from aeviz.ui.components.walks import ends_picker, road_picker, walk_view
from aeviz.ui.frame import controls_and_canvas, needed_run, page

with page("walk"):
    run = needed_run()
    controls, canvas = controls_and_canvas()
    with controls:
        ends = ends_picker(run)
        road, steps = road_picker(run)
    with canvas:
        walk_view(run, ends, road, steps)

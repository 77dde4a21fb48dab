"""How the network sees the images: their codes as a map."""

from aeviz.ui.components.maps import map_canvas, map_controls, map_facts
from aeviz.ui.frame import controls_and_canvas, needed_run, page

with page("map"):
    run = needed_run()
    controls, canvas = controls_and_canvas()
    with controls:
        request, colours = map_controls(run)
    with canvas:
        map_canvas(run, request, colours)
    with controls:
        map_facts(run, request)

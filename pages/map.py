"""Page Map: the codes of all images, projected to two or three dimensions."""

from aeviz.ui.components.map.canvas import map_canvas, map_facts
from aeviz.ui.components.map.controls import map_controls
from aeviz.ui.components.map.link import follow_link, view_of
from aeviz.ui.frame import controls_and_canvas, page, require_run

with page("map"):
    run = require_run()
    link = follow_link()
    controls, canvas = controls_and_canvas()
    with controls:
        request, paint, searched = map_controls(run)
    with canvas:
        map_canvas(run, request, paint, searched, view_of(link, request))
    with controls:
        map_facts(run, request)

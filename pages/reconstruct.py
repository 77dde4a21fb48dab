"""What the network keeps of an image: original, reconstruction and error side by side."""

from aeviz.ui.components.maps import place_on_map
from aeviz.ui.components.pictures import cards, image_picker, rival_picker, view_picker
from aeviz.ui.frame import controls_and_canvas, needed_run, page

with page("reconstruct"):
    run = needed_run()
    controls, canvas = controls_and_canvas()
    with controls:
        chosen = image_picker(run)
        rivals = rival_picker(run)
    with canvas:
        view = view_picker(chosen)
        if view == "pictures":
            cards(chosen, [run, *rivals])
        if view == "map":
            place_on_map(run, chosen)

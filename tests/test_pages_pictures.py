"""The page Reconstruct without a browser: what comes in, what is refused, and the views of it."""

import base64
import io
import json
import struct

import numpy as np
import pytest
from PIL import Image, ImageDraw
from streamlit.testing.v1 import AppTest

from aeviz.ui import pick
from aeviz.ui.components.bridges import Dropped, files_of
from aeviz.ui.components.images import your_images
from tests import making
from tests.test_pages import open_page

pytestmark = pytest.mark.usefixtures("clear_caches")


def trained(latent_dim=3, body=None):
    recipe = {
        "model": {"variant": "vae", "latent_dim": latent_dim, "body": body or {"name": "dense", "widths": [16]}},
        "training": {"epochs": 2, "device": "cpu"},
    }
    return making.trained(recipe)


@pytest.fixture
def run():
    return trained()


def png(picture):
    content = io.BytesIO()
    picture.save(content, "PNG")
    return content.getvalue()


def paper(size=(60, 40)):
    """A dark stroke on white paper."""
    picture = Image.new("L", size, 250)
    ImageDraw.Draw(picture).line([(size[0] // 2, 5), (size[0] // 2, size[1] - 5)], fill=15, width=6)
    return png(picture)


def parts(app: AppTest, name: str) -> list[dict]:
    """What our own components of a name were told."""
    found = [element.proto for element in app.get("bidi_component") if element.proto.component_name.endswith(name)]
    return [json.loads(proto.json) if proto.HasField("json") else unpacked(proto.bytes) for proto in found]


def unpacked(content: bytes) -> dict:
    (length,) = struct.unpack_from("<I", content)
    return json.loads(content[4 : 4 + length])


def upload(app: AppTest, **files: bytes) -> AppTest:
    app.pills(key="pictures.way").set_value("Upload").run()
    for name, content in files.items():
        app.file_uploader[0].upload(f"{name}.png", content)
    return app.run()


def test_a_file_is_rebuilt_and_a_broken_one_beside_it_is_named(run):
    app = upload(open_page("reconstruct"), paper=paper(), broken=b"nothing", empty=b"")
    assert not app.exception
    said = [error.value.replace("\\", "") for error in app.error]
    assert len(said) == 2
    assert said[0].startswith("**broken.png** cannot be read: it is not a picture of a known kind (PNG,")
    assert said[1].startswith("**empty.png** cannot be read: it is empty")
    assert parts(app, "rebuilt")[0]["shape"] == [1, 8, 8]
    assert any("60 × 40 → 8 × 8 grey · colours inverted" in caption.value for caption in app.caption)
    app.run()
    assert len(your_names(app)) == 1, "a file is taken once"


def your_names(app: AppTest) -> list[str]:
    return [one.name for one in app.session_state["aeviz.your_images"]]


def test_how_a_picture_is_fitted_can_be_changed(run):
    app = upload(open_page("reconstruct"), paper=paper())
    before = parts(app, "rebuilt")[0]["image"]
    app.segmented_control(key="pictures.fitting.invert").set_value("no").run()
    assert not any("colours inverted" in caption.value for caption in app.caption)
    assert parts(app, "rebuilt")[0]["image"] != before
    assert "pictures.fitting.grey" not in [box.key for box in app.toggle], "a grey network has no colours to take out"


def test_what_was_brought_on_one_page_is_there_on_another(run):
    app = upload(open_page("reconstruct"), paper=paper())
    app.segmented_control(key="pictures.fitting.fit").set_value("pad").run()
    app.switch_page("../../pages/walk.py").run()
    assert app.segmented_control(key="walk.yours.fitting.fit").value == "pad"
    assert not any("paper.png" in name for name in named(app)), "what is shown changes only for what comes in here"
    assert parts(app, "gallery") == []
    app.session_state["walk.1.choose"] = True
    yours, offered = parts(app.run(), "gallery")
    assert (yours["notes"], offered["count"]) == (["paper.png"], 39)


def named(app: AppTest) -> list[str]:
    """What the places A, B, ... show."""
    return [markdown.value.replace("\\", "") for markdown in app.markdown if markdown.value.startswith("**")]


def test_what_comes_in_takes_one_place_after_another(run):
    app = open_page("walk")
    before = named(app)
    app.file_uploader[0].upload("mine.png", paper()).run()
    assert ["mine.png" in name for name in named(app)] == [True, False]
    assert named(app)[1] == before[1]
    app.file_uploader[0].upload("other.png", paper((30, 30))).run()
    app.file_uploader[0].upload("third.png", paper((20, 30))).run()
    assert ["third.png" in named(app)[0], "other.png" in named(app)[1]] == [True, True]
    assert not app.exception
    app.button(key="walk.0.draw").click().run()
    assert "third.png" not in named(app)[0], "a test image can be had again"


def test_what_had_to_go_is_told(run, monkeypatch):
    monkeypatch.setattr(your_images, "MOST", 2)
    app = upload(open_page("reconstruct"), a=paper(), b=paper((30, 30)), c=paper((20, 20)))
    assert your_names(app) == ["b.png", "c.png"]
    assert app.warning[0].value.startswith("An older image was removed: the limit is 2 images")
    assert not upload(app, d=paper((25, 25)), e=paper((26, 26))).exception
    assert app.warning[0].value.startswith("2 older images were removed")


def test_a_page_without_images_of_the_set_still_takes_a_persons_own(run, monkeypatch):
    from aeviz.errors import MissingData

    def gone(*_):
        raise MissingData("gone")

    monkeypatch.setattr("aeviz.data.load", gone)
    app = upload(open_page("reconstruct"), paper=paper())
    assert not app.exception
    assert not app.error
    assert parts(app, "rebuilt")[0]["order"] is None, "without codes there is no range for the bars"


def test_the_code_has_bars_from_the_first_to_the_last_percentile(run):
    told = parts(open_page("reconstruct"), "rebuilt")[0]
    assert told["decode"]["decoder"].startswith("/aeviz/blob/")
    assert told["low"]["$"][2] == told["high"]["$"][2] == told["order"]["$"][2] == 3


def test_all_runs_rebuild_the_same_images_and_the_best_is_marked_once_an_image(run):
    trained(latent_dim=6)
    app = open_page("reconstruct")
    app.segmented_control(key="pictures.view").set_value("All runs").run()
    assert not app.exception
    original, *rows = [told for told in parts(app, "gallery") if told["together"] == "rivals"]
    assert set(original["labels"]) <= set("0123456789"), "the class, which fits under a picture"
    assert original["count"] == 12
    assert [row["count"] for row in rows] == [12, 12]
    assert sorted(rows[0]["best"] + rows[1]["best"]) == list(range(12))
    means = [float(caption.value.split()[1]) for caption in app.caption if caption.value.startswith("MSE")]
    trophies = ["trophy" in markdown.value for markdown in app.markdown if "Digits" in markdown.value]
    assert trophies.index(True) == int(np.argmin(means))
    assert trophies.count(True) == 1


def test_runs_of_one_title_tell_their_time_and_where_it_differs_their_body(run):
    conv = trained(body={"name": "conv", "channels": [4]})
    titles = pick.titles([run, conv, trained(latent_dim=6)])
    assert titles[run.id].endswith("· dense")
    assert titles[conv.id].endswith("· conv")
    assert [title[2] == ":" for title in titles.values()] == [True, True, False]
    app = open_page("reconstruct")
    app.segmented_control(key="pictures.view").set_value("All runs").run()
    assert any("· conv" in option for option in app.multiselect(key="pictures.rivals").options)


def test_the_whole_set_is_filtered_by_error_and_class(run):
    app = open_page("reconstruct")
    app.segmented_control(key="pictures.view").set_value("Whole test set").run()
    low, high = app.slider(key=f"errors.range.{run.id}").value
    everything = parts(app, "gallery")[-1]
    assert everything["count"] == 60
    worst = [float(label) for label in everything["labels"]]
    assert worst == sorted(worst, reverse=True)
    assert worst[0] == pytest.approx(high, rel=0.01)
    middle = (low + high) / 2
    app.slider(key=f"errors.range.{run.id}").set_range(low, middle).run()
    assert max(float(label) for label in parts(app, "gallery")[-1]["labels"]) <= middle * 1.01
    app.pills(key=f"errors.class.{run.id}").set_value(7).run()
    notes = parts(app, "gallery")[-1]["notes"]
    assert notes
    assert all("· 7 ·" in note for note in notes)
    app.segmented_control(key="errors.order").set_value("best").run()
    best = [float(label) for label in parts(app, "gallery")[-1]["labels"]]
    assert best == sorted(best)
    assert not app.exception


@pytest.fixture
def session(monkeypatch):
    """The session's memory, without a page."""
    memory = {}
    monkeypatch.setattr("aeviz.ui.state.recall", lambda key, default=None: memory.get(key, default))
    monkeypatch.setattr("aeviz.ui.state.remember", memory.__setitem__)


def test_pictures_of_one_name_are_told_apart_and_the_oldest_make_room(session):
    for _ in range(your_images.MOST + 2):
        your_images.take([Dropped("a.png", 1, paper())])
    names = [one.name for one in your_images.kept()]
    assert len(names) == len(set(names)) == your_images.MOST
    assert your_images.picked() == your_images.MOST - 1
    your_images.remove(0)
    assert your_images.picked() == your_images.MOST - 2, "the same one is looked at"


def test_a_drawing_is_replaced_by_its_next_stroke_and_gone_when_empty(session):
    your_images.take([Dropped("a.png", 1, paper())])
    your_images.put("Drawing 1", paper((30, 30)))
    your_images.put("Drawing 1", paper((50, 50)))
    assert [one.name for one in your_images.kept()] == ["a.png", "Drawing 1"]
    assert your_images.picked() == 1
    your_images.put("Drawing 1", None)
    assert [one.name for one in your_images.kept()] == ["a.png"]
    assert your_images.picked() == 0


def test_a_file_too_large_to_send_is_named(session):
    your_images.take([Dropped("big.tif", 10**9, None), Dropped("a.png", 1, paper())])
    assert your_images.problems()[0][0] == "big.tif"
    assert "larger than 20 MB" in your_images.problems()[0][1]
    assert [one.name for one in your_images.kept()] == ["a.png"], "the others go on"


@pytest.mark.parametrize(
    "told", [None, {}, {"files": [{"name": "a"}]}, {"files": [{"name": "a", "size": 1, "content": "?"}]}]
)
def test_what_our_script_would_never_send_is_refused(told):
    with pytest.raises((TypeError, KeyError, ValueError)):
        files_of(told)
    good = {"files": [{"name": "a", "size": 3, "content": base64.b64encode(b"abc").decode()}]}
    assert files_of(good) == [Dropped("a", 3, b"abc")]

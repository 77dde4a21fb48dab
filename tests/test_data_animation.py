"""Strips and films: as many frames, as large, with hard edges and the very colours."""

import io
import subprocess

import numpy as np
import pytest
from PIL import Image, ImageSequence

from aeviz.data import animation
from aeviz.data.animation import MEDIA, encode_gif, encode_strip, encode_webp_film, write_frames, write_rows
from aeviz.errors import BadValue, NotNow


def frames(channels, count=5, height=3, width=4):
    return np.random.default_rng(0).integers(0, 256, (count, channels, height, width), dtype=np.uint8)


def pixels_of(content):
    """The frames of a film as the array (S, H, W, 3)."""
    with Image.open(io.BytesIO(content)) as film:
        return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)])


@pytest.mark.parametrize("encode", [encode_gif, encode_webp_film])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_film_shows_every_pixel_as_a_square_of_its_colour(encode, channels):
    shown = frames(channels)  # 60 colours, so a GIF has room for all of them
    film = pixels_of(encode(shown))
    assert film.shape == (5, 3 * 64, 4 * 64, 3)
    expected = np.broadcast_to(shown.transpose(0, 2, 3, 1), (5, 3, 4, 3))
    np.testing.assert_array_equal(film, expected.repeat(64, axis=1).repeat(64, axis=2))


@pytest.mark.parametrize("encode", [encode_gif, encode_webp_film])
def test_a_film_plays_over_and_over_at_its_speed(encode):
    with Image.open(io.BytesIO(encode(frames(1), 0.25))) as film:
        film.seek(1)
        film.load()
        assert (film.info["duration"], film.info["loop"]) == (250, 0)


@pytest.mark.parametrize("encode", [encode_gif, encode_webp_film])
def test_frames_that_do_not_change_are_still_shown_for_their_time(encode):
    shown_twice = frames(1, 2)[[0, 0, 1, 1]]
    with Image.open(io.BytesIO(encode(shown_twice))) as film:
        shown = 0
        for frame in ImageSequence.Iterator(film):
            frame.load()
            shown += frame.info["duration"]
    assert shown == 400


def test_a_strip_has_all_frames_side_by_side():
    picture = np.asarray(Image.open(io.BytesIO(encode_strip(frames(1)))))
    assert picture.shape[0] == 3 * 4
    np.testing.assert_array_equal(picture[::4, :16:4, 0], frames(1)[0, 0])


def test_large_images_are_not_enlarged():
    assert pixels_of(encode_webp_film(frames(1, 2, 300, 260))).shape == (2, 300, 260, 3)


@pytest.mark.parametrize("ending", sorted(set(MEDIA) - {".mp4"}))
def test_the_name_of_the_file_says_the_form(ending, tmp_path):
    write_frames(frames(3), tmp_path / "new" / f"walk{ending.upper()}")
    with Image.open(tmp_path / "new" / f"walk{ending.upper()}") as picture:
        assert picture.format == ending[1:].upper()


def test_rows_are_a_picture_of_all_or_a_film_of_them_beside_each_other(tmp_path):
    rows = np.stack([frames(1, 5, 8, 6), frames(1, 5, 8, 6)])
    for ending in (".png", ".gif"):
        write_rows(rows, tmp_path / f"rows{ending}")
    scale = animation.USUAL_WIDTH // 6
    assert Image.open(tmp_path / "rows.png").size == (5 * 6 * scale + 4 * 2, 2 * 8 * scale + 2)
    film = Image.open(tmp_path / "rows.gif")
    assert film.n_frames == 5 + 3, "there and back"
    assert film.size[0] > 2 * animation.FRAME_WIDTH * 6 // 8


def test_an_unknown_form_is_refused_and_the_known_are_named(tmp_path):
    with pytest.raises(BadValue, match=r"walk\.bmp .* \.gif"):
        write_frames(frames(1), tmp_path / "walk.bmp")


def test_an_mp4_takes_ffmpeg(tmp_path, monkeypatch):
    monkeypatch.setattr(animation.shutil, "which", lambda _: None)
    with pytest.raises(NotNow, match="ffmpeg"):
        write_frames(frames(1), tmp_path / "walk.mp4")


def test_ffmpeg_is_fed_pictures_of_even_sides(tmp_path, monkeypatch):
    fed = {}

    def ffmpeg(line, input, **_):
        fed["first"] = Image.open(io.BytesIO(input)).size
        fed["count"] = input.count(b"\x89PNG")
        return subprocess.CompletedProcess(line, 0, b"film", b"")

    monkeypatch.setattr(animation.shutil, "which", lambda _: "ffmpeg")
    monkeypatch.setattr(animation.subprocess, "run", ffmpeg)
    write_frames(frames(1, 4, 301, 257), tmp_path / "walk.mp4")
    assert fed == {"first": (258, 302), "count": 4}
    assert (tmp_path / "walk.mp4").read_bytes() == b"film"


def test_what_ffmpeg_complains_of_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(animation.shutil, "which", lambda _: "ffmpeg")
    failed = subprocess.CompletedProcess([], 1, b"", b"no such codec")
    monkeypatch.setattr(animation.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(NotNow, match="no such codec"):
        write_frames(frames(1), tmp_path / "walk.mp4")

"""Odd pictures, each made here with known pixels."""

import contextlib
import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from aeviz import data
from aeviz.errors import BadFile, BadValue


def encoded(picture, kind="PNG", **settings):
    content = io.BytesIO()
    picture.save(content, kind, **settings)
    return content.getvalue()


def read(picture, shape=(3, 8, 8), kind="PNG", fit="crop", background="white", **settings):
    return data.read_image(encoded(picture, kind, **settings), shape, fit, background)


def colour_of(pixels):
    """The one colour of an image (C, H, W)."""
    assert (pixels == pixels[:, :1, :1]).all()
    return pixels[:, 0, 0].tolist()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "PPM"])
def test_lossless_formats_keep_their_pixels(kind):
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4, :, 0], pixels[4:, :, 2] = 200, 100
    settings = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(read(Image.fromarray(pixels), kind=kind, **settings), pixels.transpose(2, 0, 1))


def test_jpeg_is_close():
    assert (
        np.abs(
            np.subtract(colour_of(read(Image.new("RGB", (64, 64), (200, 100, 50)), kind="JPEG")), [200, 100, 50])
        ).max()
        < 4
    )


def test_a_huge_photograph_is_read_at_the_right_size():
    photo = Image.new("RGB", (2000, 1000), (0, 0, 255))
    photo.paste((255, 0, 0), (500, 0, 1500, 1000))
    pixels = read(photo, kind="JPEG", quality=95)
    assert pixels.shape == (3, 8, 8)
    assert (pixels[0] > 240).all()  # the middle square is all red


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_greys_are_scaled_not_clipped(kind):
    values = np.full((8, 8), 257 * 100, np.uint16)
    values[4:] = 65535
    pixels = read(Image.fromarray(values), (1, 8, 8), kind)
    assert (pixels[0, :4] == 100).all()
    assert (pixels[0, 4:] == 255).all()


def test_big_endian_16_bit_greys_are_read():
    picture = Image.frombytes("I;16B", (8, 8), np.full((8, 8), 257 * 30, ">u2").tobytes())
    assert colour_of(read(picture, (1, 8, 8), "TIFF")) == [30]


@pytest.mark.parametrize(("value", "expected"), [(0.5, 128), (100.0, 100), (1.0, 255)])
def test_floats_keep_the_scale_they_come_in(value, expected):
    values = np.full((8, 8), value, np.float32)
    assert colour_of(read(Image.fromarray(values), (1, 8, 8), "TIFF")) == [expected]


def test_floats_of_any_range_are_stretched_and_nan_is_harmless():
    values = np.linspace(-3, 3, 64, dtype=np.float32).reshape(8, 8)
    values[3, 3] = np.nan
    pixels = read(Image.fromarray(values), (1, 8, 8), "TIFF")
    assert (pixels.min(), pixels.max()) == (0, 255)


def test_32_bit_integers_are_read_on_the_scale_of_16_bits():
    values = np.full((8, 8), 65535, np.int32)
    values[0] = 257
    pixels = read(Image.fromarray(values), (1, 8, 8), "TIFF")
    assert pixels[0, :, 0].tolist() == [1] + [255] * 7


def test_cmyk_becomes_red_green_and_blue():
    assert (
        np.abs(
            np.subtract(colour_of(read(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), kind="TIFF")), [255, 0, 0])
        ).max()
        < 3
    )
    red = read(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), kind="JPEG")
    assert np.abs(np.subtract(colour_of(red), [255, 0, 0])).max() < 6


def test_one_bit_pictures_are_black_and_white():
    picture = Image.new("1", (8, 8), 1)
    picture.paste(0, (0, 0, 8, 4))
    pixels = read(picture, (1, 8, 8))
    assert pixels[0, :, 0].tolist() == [0] * 4 + [255] * 4


@pytest.mark.parametrize(
    ("background", "expected"), [("white", [255] * 3), ("black", [0] * 3), ("#102030", [16, 32, 48])]
)
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_shows_the_background(mode, background, expected):
    clear = (200, 200, 200, 0) if mode == "RGBA" else (200, 0)
    assert colour_of(read(Image.new(mode, (8, 8), clear), background=background)) == expected


def test_half_transparency_is_half_the_background():
    assert colour_of(read(Image.new("RGBA", (8, 8), (255, 0, 0, 128)), background="black")) == [128, 0, 0]
    assert colour_of(read(Image.new("RGBA", (8, 8), (255, 0, 0, 0)), (1, 8, 8), background="#808080")) == [128]


def test_palettes_with_a_transparent_colour_show_the_background():
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([10, 20, 30, 200, 100, 50])
    picture.paste(1, (0, 4, 8, 8))
    for kind in ("PNG", "GIF"):
        pixels = read(picture, kind=kind, background="#0000ff", transparency=0)
        assert pixels[:, 0, 0].tolist() == [0, 0, 255]
        assert pixels[:, 7, 0].tolist() == [200, 100, 50]


def test_a_gif_gives_its_first_picture():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    assert colour_of(read(frames[0], kind="GIF", save_all=True, append_images=frames[1:])) == [255, 0, 0]


def test_the_orientation_of_a_camera_is_applied():
    picture = Image.new("RGB", (8, 8), "black")
    picture.paste("white", (0, 0, 8, 4))  # the upper half
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    pixels = read(picture, (1, 8, 8), "JPEG", exif=exif, quality=95)
    assert (pixels[0, :, 5:] > 240).all()
    assert (pixels[0, :, :3] < 15).all()


def test_crop_takes_the_middle_and_pad_keeps_all():
    picture = Image.new("RGB", (24, 8), "black")
    picture.paste((255, 0, 0), (8, 0, 16, 8))
    assert colour_of(read(picture)) == [255, 0, 0]
    padded = read(picture, (3, 24, 24), fit="pad", background="#00ff00")
    assert padded[:, 0, 0].tolist() == [0, 255, 0]
    assert padded[:, 12, 12].tolist() == [255, 0, 0]
    assert padded[:, 12, 0].tolist() == [0, 0, 0]


def test_pictures_fit_networks_that_are_not_square():
    picture = Image.new("RGB", (32, 32), "black")
    picture.paste("white", (0, 8, 32, 24))  # the middle half of the height
    assert (read(picture, (1, 8, 16)) == 255).all()
    assert read(picture, (1, 16, 8)).shape == (1, 16, 8)


@pytest.mark.parametrize("size", [(1, 60_000), (60_000, 1), (1, 1)])
@pytest.mark.parametrize("fit", ["crop", "pad"])
def test_extreme_proportions_are_read(size, fit):
    assert read(Image.new("L", size, 7), (1, 8, 8), fit=fit, background="black").shape == (1, 8, 8)


def test_a_path_is_read_as_well(tmp_path):
    Image.new("L", (8, 8), 9).save(tmp_path / "a.png")
    assert colour_of(data.read_image(tmp_path / "a.png", (1, 8, 8))) == [9]
    with pytest.raises(BadFile, match=r"b\.png.*no such file"):
        data.read_image(tmp_path / "b.png", (1, 8, 8))
    with pytest.raises(BadFile):
        data.read_image(tmp_path, (1, 8, 8))


def bomb(width, height):
    """A PNG whose header promises more pixels than anyone has memory for."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999)) + chunk(b"IEND", b"")
    )


NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"Dear diary,\nthis is no picture.", "not a picture of a known kind"),
        (b"\x89PNG\r\n\x1a\n", "not a picture|damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture of a known kind"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture of a known kind"),
        (encoded(NOISE)[:2000], "damaged or truncated"),
        (encoded(NOISE, "JPEG")[:900], "damaged or truncated"),
        (encoded(NOISE, "WEBP")[:600], "not a picture|damaged"),
        (encoded(NOISE, "BMP")[:600], "damaged or truncated"),
        (encoded(NOISE, "TIFF")[:600], "not a picture|damaged"),
        (bomb(9_000, 9_000), "81 megapixels; up to 64"),
        (bomb(10_000, 10_000), "100 megapixels; up to 64"),
        (bomb(60_000, 60_000), "too many pixels to open; up to 64 megapixels are read, so shrink it"),
        (bomb(64, 64), "damaged or truncated"),
    ],
)
def test_bad_pictures_are_named_by_what_is_wrong(content, reason, capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BadFile, match=reason):
            data.read_image(content, (3, 8, 8))
    assert capfd.readouterr() == ("", "")


def test_random_damage_never_crashes_the_reader():
    generator = np.random.default_rng(1)
    for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"):
        whole = np.frombuffer(encoded(NOISE, kind), np.uint8)
        for _ in range(40):
            content = whole.copy()
            content[generator.integers(0, len(content), 12)] = generator.integers(0, 256, 12)
            content[generator.integers(0, 60, 2)] ^= 255
            with contextlib.suppress(BadFile):
                assert data.read_image(content.tobytes(), (3, 8, 8)).shape == (3, 8, 8)


def test_settings_that_fit_no_picture_are_refused():
    content = encoded(NOISE)
    with pytest.raises(BadValue, match="#rrggbb"):
        data.read_image(content, (3, 8, 8), background="sky")
    with pytest.raises(BadValue, match="channels"):
        data.read_image(content, (2, 8, 8))


DRAWING = Image.new("L", (200, 200), 250)
DRAWING.paste(20, (80, 0, 120, 200))  # a stroke that touches the border
GREY_DARK = data.Border(0.05, 0.04)  # as white-on-black sets have it
BRIGHT = data.Border(0.98, 0.02)
VARIED = data.Border(0.41, 0.29)  # as photographs have it


@pytest.mark.parametrize(
    ("border", "turned"), [(GREY_DARK, True), (BRIGHT, False), (VARIED, False), (None, False)],
    ids=["dark", "bright", "varied", "unknown"],
)  # fmt: skip
def test_a_drawing_is_turned_round_only_where_the_set_is_the_other_way_round(border, turned):
    pixels, inverted = data.read_fitted(encoded(DRAWING), (1, 28, 28), data.Fitting(), border)
    assert inverted is turned
    assert (pixels[0, 14, 14] > 128) is np.bool_(turned), "the stroke is bright where it was turned round"


@pytest.mark.parametrize(
    ("invert", "border", "stroke"), [("yes", None, 235), ("no", GREY_DARK, 20)], ids=["always", "never"]
)
def test_a_person_may_decide_otherwise(invert, border, stroke):
    pixels, inverted = data.read_fitted(encoded(DRAWING), (1, 28, 28), data.Fitting(invert=invert), border)
    assert abs(int(pixels[0, 14, 14]) - stroke) < 5  # resizing overshoots a little
    assert inverted is (invert == "yes")


def test_colourful_and_uneven_borders_are_no_drawings():
    red = np.zeros((3, 28, 28), np.uint8)
    red[0] = 250
    ramp = np.broadcast_to(np.linspace(60, 255, 28).astype(np.uint8), (1, 28, 28))
    white = np.full((1, 28, 28), 250, np.uint8)
    assert [data.proposed_invert(image, GREY_DARK) for image in (red, ramp, white)] == [False, False, True]


@pytest.mark.parametrize("name", ["digits", "shapes", "photo_patches"])
def test_no_image_of_a_set_is_turned_round_by_itself(name):
    images = data.load(name).images
    border = data.border_of(images)
    some = np.asarray(images[np.arange(0, len(images), max(1, len(images) // 200))])
    assert not any(data.proposed_invert(image, border) for image in some)
    turned = np.mean([data.proposed_invert(255 - image, border) for image in some])
    assert turned == (0.0 if name == "photo_patches" else 1.0)


def test_the_colours_can_be_taken_out():
    pixels, _ = data.read_fitted(encoded(Image.new("RGB", (8, 8), (255, 0, 0))), (3, 8, 8), data.Fitting(grey=True))
    assert colour_of(pixels) == [76, 76, 76]  # ITU-R 601: 0.299 of the red


def test_a_preview_knows_the_files_own_size():
    picture, size = data.read_preview(encoded(Image.new("RGB", (400, 100), (0, 0, 255)), "JPEG"), 100)
    assert picture.shape == (25, 100, 3)
    assert size == (400, 100)
    with pytest.raises(BadFile, match="not a picture"):
        data.read_preview(b"nothing", 100)

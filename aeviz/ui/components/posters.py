"""Exported figures: labelled rows of images with numbers and curves, in the app's font."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from aeviz.data import pictures
from aeviz.ui.streamlit_internals import font_file

INK, QUIET, PAGE = "#17181c", "#5b5e6b", "#ffffff"
WIDE, LARGEST = (
    1800,
    480,
)  # pixels: approximate width of a row, and maximum side of an upscaled image
SMALLEST, BIGGEST = 20, 30  # font sizes
FINE = 4  # supersampling factor of curves
BOLD = 600
HEADROOM = 1.06  # above the highest point of a curve


@dataclass(frozen=True)
class Row:
    """A row of images (S, C, H, W) uint8 with its texts.

    Attributes:
        images: scaled to the size of those in the first row.
        title, note: on the left.
        below: (S,) texts under the images.
        curve: (S,) values drawn under the row in `colour`, with a dashed line at 1; all curves share one scale.
        colour: of the curve.
        scale: colours with their low and high labels, under the last image.
    """

    images: np.ndarray
    title: str = ""
    note: str = ""
    below: Sequence[str] = ()
    curve: np.ndarray | None = None
    colour: str = INK
    scale: tuple[Sequence[str], str, str] | None = None


def poster(rows: Sequence[Row], foot: str = "") -> bytes:
    """Rows of images on a white page with a footer, as PNG."""
    sheet = _Sheet(rows)
    page = Image.new("RGB", (sheet.width, sheet.top(len(rows)) + (3 * sheet.letter if foot else 0)), PAGE)
    pen = ImageDraw.Draw(page)
    for number, row in enumerate(rows):
        sheet.draw(page, pen, row, sheet.top(number))
    if foot:
        pen.text((sheet.edge, page.height - 2.2 * sheet.letter), foot, QUIET, _font(sheet.letter))
    return pictures.encode_png(np.asarray(page))


@cache
def _font(size: int, weight: int = 400) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The app's font, or Pillow's default, which has fewer glyphs, if it is not found."""
    found = font_file()
    if found is None:
        return ImageFont.load_default(size)
    font = ImageFont.truetype(found, size)
    font.set_variation_by_axes([weight])
    return font


class _Sheet:
    """Layout of a poster: rows of equal height, and a label column as wide as the longest label."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.columns = max(len(row.images) for row in rows)
        high, wide = rows[0].images.shape[2:]
        self.times = max(1, min(WIDE // (self.columns * wide), LARGEST // max(high, wide)))
        self.high, self.wide = high * self.times, wide * self.times
        self.letter = int(np.clip(min(self.high, self.wide) / 6, SMALLEST, BIGGEST))
        self.edge, self.gap = self.letter, max(2, self.letter // 4)
        named = max(
            max(_font(self.letter, BOLD).getlength(row.title), _font(self.letter).getlength(row.note)) for row in rows
        )
        self.left = self.edge + (int(named) + self.letter if named else 0)
        self.width = self.left + self.columns * (self.wide + self.gap) - self.gap + self.edge
        self.said = int(1.5 * self.letter) if any(len(row.below) for row in rows) else 0
        self.scaled = int(1.6 * self.letter) if any(row.scale for row in rows) else 0
        curves = [row.curve for row in rows if row.curve is not None]
        self.curved = self.high // 2 if curves else 0
        self.most = HEADROOM * max([2.0, *(float(np.nanmax(curve)) for curve in curves)])

    def top(self, number: int) -> int:
        """Top of a row in pixels; for the row after the last, the bottom of all rows."""
        return self.edge + number * (self.high + self.said + self.scaled + self.curved + self.letter)

    def draw(self, page: Image.Image, pen: ImageDraw.ImageDraw, row: Row, top: int) -> None:
        """Draw a row at `top` onto the page."""
        for number, image in enumerate(row.images):
            tile = Image.fromarray(pictures.mosaic(image[None], columns=1, gap=0))
            place = self.left + number * (self.wide + self.gap), top
            page.paste(tile.resize((self.wide, self.high), Image.Resampling.NEAREST), place)
        middle = top + self.high / 2
        pen.text((self.edge, middle), row.title, INK, _font(self.letter, BOLD), anchor="ld" if row.note else "lm")
        pen.text((self.edge, middle + self.gap), row.note, QUIET, _font(self.letter), anchor="la")
        for number, text in enumerate(row.below):
            pen.text(self._under(number, top), self._cut(text), QUIET, _font(self.letter), anchor="ma")
        if row.scale:
            self._scale(page, pen, top + self.high + self.said, *row.scale)
        if row.curve is not None:
            self._curve(page, row.curve, row.colour, top + self.high + self.said + self.gap)

    def _under(self, number: int, top: int) -> tuple[float, float]:
        return self.left + number * (self.wide + self.gap) + self.wide / 2, top + self.high + self.gap

    def _cut(self, text: str) -> str:
        """Truncate a text to the width of an image."""
        if _font(self.letter).getlength(text) <= self.wide:
            return text
        fits = (text[:size] + "…" for size in range(len(text) - 1, 0, -1))
        return next((short for short in fits if _font(self.letter).getlength(short) <= self.wide), "")

    def _scale(
        self, page: Image.Image, pen: ImageDraw.ImageDraw, top: int, colours: Sequence[str], low: str, high: str
    ) -> None:
        """Draw a colour bar with its limits under the last image."""
        right, left, font = self.width - self.edge, self.width - self.edge - self.wide, _font(self.letter)
        begin, end = left + font.getlength(low) + self.gap, right - font.getlength(high) - self.gap
        steps = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in colours], np.uint8)
        size = (max(1, int(end - begin)), max(1, self.letter // 2))
        page.paste(
            Image.fromarray(steps[None]).resize(size, Image.Resampling.BILINEAR), (int(begin), top + self.letter // 2)
        )
        pen.text((left, top), low, QUIET, font)
        pen.text((right, top), high, QUIET, font, anchor="ra")

    def _curve(self, page: Image.Image, curve: np.ndarray, colour: str, top: int) -> None:
        """Draw a curve over a pale area, from the centre of the first image to that of the last."""
        wide, high = len(curve) * (self.wide + self.gap) - self.gap, self.curved - self.gap
        x = FINE * ((np.arange(len(curve)) + 0.5) * (self.wide + self.gap) - self.gap / 2)
        y = FINE * high * (1 - np.nan_to_num(curve) / self.most)
        line, area, dashes = (Image.new("L", (FINE * wide, FINE * high)) for _ in range(3))
        points = list(zip(x.tolist(), y.tolist(), strict=True))
        ImageDraw.Draw(line).line(points, 255, FINE * 3, joint="curve")
        ImageDraw.Draw(area).polygon([(x[0], FINE * high), *points, (x[-1], FINE * high)], 46)
        level, long = int(FINE * high * (1 - 1 / self.most)), FINE * self.gap
        for begin in range(0, FINE * wide, 2 * long):
            ImageDraw.Draw(dashes).line([(begin, level), (begin + long, level)], 150, FINE)
        for mask, ink in ((area, colour), (line, colour), (dashes, QUIET)):
            page.paste(ink, (self.left, top), mask.resize((wide, high), Image.Resampling.LANCZOS))

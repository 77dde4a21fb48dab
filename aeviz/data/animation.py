"""Sequences of images as one file: a strip, a grid, or a looping animation with hard pixel edges."""

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from aeviz import files
from aeviz.data.pictures import GAP_COLOUR, encode_png, mosaic
from aeviz.errors import BadValue, NotNow

SIDE = 256  # least length of an animation's longer side in pixels, reached in whole-number scales
STRIP_SCALE = 4
MAX_WIDTH, USUAL_WIDTH = (
    4000,
    112,
)  # maximum width of a picture of rows, and the usual width of one image in it, in pixels
FRAME_WIDTH, FRAME_GAP = (
    224,
    4,
)  # width of one image in an animation of several rows, and the gap between images, in pixels
SECONDS = 0.1  # duration of a frame
FROM_PNG = ["-loglevel", "error", "-f", "image2pipe", "-c:v", "png"]
TO_MP4 = ["-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p", "-f", "mp4", "-movflags", "empty_moov+frag_keyframe"]

Frames = np.ndarray  # (S, C, H, W) uint8


def write_frames(frames: Frames, out: Path, seconds: float = SECONDS) -> None:
    """Write frames (S, C, H, W) uint8 in the format given by the file extension; `seconds` is the duration per frame.

    Raises:
        BadValue: the extension is unknown.
        NotNow: the program for this format is not installed.
    """
    _write(_encoder(out)(frames, seconds), out)


def write_rows(rows: np.ndarray, out: Path, seconds: float = SECONDS) -> None:
    """Write rows (R, S, C, H, W) uint8 as one picture, or as an animation with the rows side by side.

    Raises:
        BadValue, NotNow: as `write_frames`.
    """
    _encoder(out)
    _write(encode_rows(rows, out.suffix.lower(), seconds), out)


def encode_rows(rows: np.ndarray, ending: str, seconds: float = SECONDS) -> bytes:
    """Rows (R, S, C, H, W) uint8 as a picture, or as an animation forwards and backwards with the rows side by side."""
    count, steps, _, _, width = rows.shape
    if ending == ".png":
        scale = max(1, min(USUAL_WIDTH // width, MAX_WIDTH // (steps * width)))
        return encode_png(mosaic(rows.reshape(count * steps, *rows.shape[2:]), steps, scale, gap=2))
    scale = max(1, FRAME_WIDTH // max(rows.shape[-2:]))
    large = rows.repeat(scale, axis=-2).repeat(scale, axis=-1)
    apart = np.pad(large, ((0, 0),) * 4 + ((0, FRAME_GAP),), constant_values=GAP_COLOUR[0])
    frames = np.concatenate(list(apart), axis=-1)[..., :-FRAME_GAP]  # (R, S, C, H, W + 4) -> (S, C, H, R (W + 4) - 4)
    return MEDIA[ending](np.concatenate([frames, frames[-2:0:-1]]), seconds)


def encode_strip(frames: Frames, seconds: float = SECONDS) -> bytes:
    """All frames side by side as a PNG."""
    return encode_png(mosaic(frames, columns=len(frames), scale=STRIP_SCALE))


def encode_gif(frames: Frames, seconds: float = SECONDS) -> bytes:
    """An animated GIF; colour frames share one palette of 256 colours."""
    films = _enlarged(frames)
    pictures = [Image.fromarray(film[..., 0] if frames.shape[1] == 1 else film) for film in films]
    if frames.shape[1] != 1:
        palette = Image.fromarray(np.concatenate(list(films))).quantize(256)
        pictures = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    return _animated(pictures, "GIF", seconds, disposal=2)


def encode_webp_film(frames: Frames, seconds: float = SECONDS) -> bytes:
    """A lossless animated WebP."""
    return _animated([Image.fromarray(film) for film in _enlarged(frames)], "WEBP", seconds, lossless=True)


def has_ffmpeg() -> bool:
    """Whether MP4s can be made on this machine."""
    return shutil.which("ffmpeg") is not None


def encode_mp4(frames: Frames, seconds: float = SECONDS) -> bytes:
    """An MP4 (H.264) made by ffmpeg.

    Raises:
        NotNow: ffmpeg is not installed.
    """
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise NotNow("an MP4 needs ffmpeg, which is not installed; install it, or write a .webp or .gif")
    films = _enlarged(frames)
    height, width = films.shape[1:3]
    films = np.pad(films, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")  # H.264 needs even sides
    line = [ffmpeg, *FROM_PNG, "-framerate", f"{1 / seconds:g}", "-i", "-", *TO_MP4, "-"]
    done = subprocess.run(line, input=b"".join(encode_png(film) for film in films), capture_output=True)
    if done.returncode:
        raise NotNow("ffmpeg failed ({reason}); write a .webp or .gif", reason=done.stderr.decode(errors="replace"))
    return done.stdout


MEDIA: dict[str, Callable[[Frames, float], bytes]] = {
    ".png": encode_strip,
    ".gif": encode_gif,
    ".webp": encode_webp_film,
    ".mp4": encode_mp4,
}


def _encoder(out: Path) -> Callable[[Frames, float], bytes]:
    form = MEDIA.get(out.suffix.lower())
    if form is None:
        raise BadValue("{name} has no known extension for pictures; use {known}", name=out.name, known=", ".join(MEDIA))
    return form


def _write(content: bytes, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(out, content)


def _enlarged(frames: Frames) -> np.ndarray:
    """Frames (S, H', W', 3), scaled by a whole number until the longer side has at least 256 pixels."""
    scale = -(-SIDE // max(frames.shape[2:]))
    return np.stack([mosaic(frame[None], columns=1, scale=scale) for frame in frames])


def _animated(pictures: list[Image.Image], kind: str, seconds: float, **settings: object) -> bytes:
    content = io.BytesIO()
    first, *others = pictures
    duration = round(1000 * seconds)
    first.save(content, kind, save_all=True, append_images=others, duration=duration, loop=0, **settings)
    return content.getvalue()

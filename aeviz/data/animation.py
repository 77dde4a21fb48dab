"""A row of images as one file: a strip, or a film that plays over and over, enlarged with hard pixel edges."""

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from aeviz import files
from aeviz.data.pictures import encode_png, mosaic
from aeviz.errors import BadValue, NotNow

SIDE = 256  # pixels that the longer side of a film reaches at least, if it takes no more than whole steps
STRIP_SCALE = 4
SECONDS = 0.1  # that a frame is shown
FROM_PNG = ["-loglevel", "error", "-f", "image2pipe", "-c:v", "png"]
TO_MP4 = ["-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p", "-f", "mp4", "-movflags", "empty_moov+frag_keyframe"]

Frames = np.ndarray  # (S, C, H, W) uint8


def write_frames(frames: Frames, out: Path, seconds: float = SECONDS) -> None:
    """Write frames (S, C, H, W) uint8 in the form that the file's name ends on, each shown for so many seconds.

    Raises:
        BadValue: no known ending.
        NotNow: a form whose program is not installed.
    """
    form = MEDIA.get(out.suffix.lower())
    if form is None:
        raise BadValue("{name} ends on no known form of pictures; use {known}", name=out.name, known=", ".join(MEDIA))
    content = form(frames, seconds)
    out.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(out, content)


def encode_strip(frames: Frames, seconds: float = SECONDS) -> bytes:
    """All frames side by side as PNG."""
    return encode_png(mosaic(frames, columns=len(frames), scale=STRIP_SCALE))


def encode_gif(frames: Frames, seconds: float = SECONDS) -> bytes:
    """An animated GIF; of colours, 256 for all frames together."""
    films = _enlarged(frames)
    pictures = [Image.fromarray(film[..., 0] if frames.shape[1] == 1 else film) for film in films]
    if frames.shape[1] != 1:
        palette = Image.fromarray(np.concatenate(list(films))).quantize(256)
        pictures = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
    return _animated(pictures, "GIF", seconds, disposal=2)


def encode_webp_film(frames: Frames, seconds: float = SECONDS) -> bytes:
    """An animated WebP that loses nothing."""
    return _animated([Image.fromarray(film) for film in _enlarged(frames)], "WEBP", seconds, lossless=True)


def has_ffmpeg() -> bool:
    """Whether an MP4 can be made here."""
    return shutil.which("ffmpeg") is not None


def encode_mp4(frames: Frames, seconds: float = SECONDS) -> bytes:
    """An MP4 (H.264), made by ffmpeg.

    Raises:
        NotNow: ffmpeg is not installed.
    """
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        raise NotNow("an MP4 takes ffmpeg, which is not installed; install it, or write a .webp or .gif")
    films = _enlarged(frames)
    height, width = films.shape[1:3]
    films = np.pad(films, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")  # H.264 takes even sides only
    line = [ffmpeg, *FROM_PNG, "-framerate", f"{1 / seconds:g}", "-i", "-", *TO_MP4, "-"]
    done = subprocess.run(line, input=b"".join(encode_png(film) for film in films), capture_output=True)
    if done.returncode:
        raise NotNow(
            "ffmpeg made no MP4 ({reason}); write a .webp or .gif", reason=done.stderr.decode(errors="replace")
        )
    return done.stdout


MEDIA: dict[str, Callable[[Frames, float], bytes]] = {
    ".png": encode_strip,
    ".gif": encode_gif,
    ".webp": encode_webp_film,
    ".mp4": encode_mp4,
}


def _enlarged(frames: Frames) -> np.ndarray:
    """Frames (S, H', W', 3), each pixel so many pixels wide that the longer side is at least 256."""
    scale = -(-SIDE // max(frames.shape[2:]))
    return np.stack([mosaic(frame[None], columns=1, scale=scale) for frame in frames])


def _animated(pictures: list[Image.Image], kind: str, seconds: float, **settings: object) -> bytes:
    content = io.BytesIO()
    first, *others = pictures
    duration = round(1000 * seconds)
    first.save(content, kind, save_all=True, append_images=others, duration=duration, loop=0, **settings)
    return content.getvalue()

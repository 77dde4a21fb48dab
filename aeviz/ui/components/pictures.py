"""Images beside what a network makes of them: original, reconstruction, error, and the numbers."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from aeviz import data
from aeviz.data import pictures
from aeviz.errors import BadFile
from aeviz.results import Rebuilt
from aeviz.runs import Run
from aeviz.ui import cache, words

SIDE = 150  # pixels a picture is enlarged to, at most
TYPES = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"]


@dataclass(frozen=True)
class Chosen:
    """Images (n, C, H, W) uint8 made to fit the network, and what each is called."""

    pixels: np.ndarray
    names: list[str]


def image_picker(run: Run) -> Chosen:
    """Images of one's own, or some of the run's test images."""
    source = st.segmented_control(
        "Images", ["Upload", "From the set"], default="From the set", required=True, key="pictures.source", width="stretch",
        persist_state="session",
    )  # fmt: skip
    return _uploads(run) if source == "Upload" else _from_set(run)


def _uploads(run: Run) -> Chosen:
    """Uploaded files, made to fit; a bad one is named with its reason and the others go on."""
    shape = run.config().data.shape
    files = st.file_uploader("Your images", type=TYPES, accept_multiple_files=True, key="pictures.files")
    fit = st.segmented_control(
        "Fit", ["crop", "pad"], default="crop", required=True, key="pictures.fit", width="stretch",
        format_func=words.label, persist_state="session", help="Crop to the centre square, or pad to a square.",
    )  # fmt: skip
    st.caption(f"Made to fit the network: {words.shape(shape)}.")
    pixels, names = [], []
    for file in files or []:
        try:
            pixels.append(data.read_image(file.getvalue(), shape, fit))  # type: ignore[arg-type]
            names.append(file.name)
        except BadFile as error:
            st.error(f"**{words.plain(file.name)}** {words.plain(error)}")
    return Chosen(np.stack(pixels) if pixels else np.empty((0, *shape), np.uint8), names)


def _from_set(run: Run) -> Chosen:
    """Test images: the first ones, or those rebuilt best or worst."""
    dataset = cache.images_of(run)
    order = st.segmented_control(
        "Which", ["mixed", "worst", "best"], default="mixed", required=True, key="pictures.order", width="stretch",
        format_func=words.label, persist_state="session", help="By the error of their reconstruction.",
    )  # fmt: skip
    count = st.slider("How many", 1, 24, 8, key="pictures.count", persist_state="session")
    rows = dataset.rows("test")
    if order == "mixed":
        shuffle = st.number_input(
            "Shuffle", 0, 9999, 0, key="pictures.shuffle", help="Another number, other images.", persist_state="session"
        )
        rows = np.sort(np.random.default_rng(shuffle).permutation(rows)[:count])
    else:
        ranks = np.argsort(cache.errors(run, "test"))
        rows = rows[ranks[::-1][:count] if order == "worst" else ranks[:count]]
    names = [_name(dataset, row) for row in rows]
    return Chosen(np.ascontiguousarray(dataset.images[rows]), names)


def _name(dataset: data.Dataset, row: int) -> str:
    label = dataset.labels[row]
    file = dataset.files[row] if dataset.files else f"#{row}"
    return f"{file} · {dataset.classes[label]}" if label >= 0 else file


def cards(chosen: Chosen, rebuilt: Rebuilt) -> None:
    """One card an image: original, reconstruction and absolute error side by side, with the numbers under them."""
    numbers = rebuilt.numbers()
    scale = max(1, SIDE // max(chosen.pixels.shape[-2:]))
    top = float(np.abs(rebuilt.x - rebuilt.x_hat).max()) or 1.0
    x_hat = pictures.to_pixels(rebuilt.x_hat)
    errors = pictures.error_map(rebuilt.x, rebuilt.x_hat, top)
    st.caption(f"Original, reconstruction, and absolute error from black (0) to bright ({top:.2f}).")
    with st.grid(min_column_width=320, gap="medium") if hasattr(st, "grid") else st.container():
        for position, name in enumerate(chosen.names):
            with st.container(border=True, gap="small"):
                three = [_colour(images[position]) for images in (chosen.pixels, x_hat, errors)]
                picture = pictures.mosaic(np.stack(three), columns=3, scale=scale, gap=4, gap_colour=(128, 128, 128))
                st.image(pictures.encode_png(picture), width="stretch", alt="Original, reconstruction, error")
                st.text(name)
                st.caption(_said({key: values[position] for key, values in numbers.items()}))


def _colour(image: np.ndarray) -> np.ndarray:
    """A grey image (1, H, W) as (3, H, W)."""
    return np.repeat(image, 3, axis=0) if len(image) == 1 else image


def _said(numbers: dict[str, float | None]) -> str:
    parts = [f"MSE {words.number(numbers['mse'])}"]
    if numbers["psnr"] is not None:
        parts.append(f"PSNR {numbers['psnr']:.1f} dB")
    if numbers["ssim"] is not None:
        parts.append(f"SSIM {numbers['ssim']:.2f}")
    if numbers["percentile"] is not None:
        parts.append(f"worse than {numbers['percentile']:.0f} % of the test images")
    return " · ".join(parts)

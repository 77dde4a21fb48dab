"""Images beside what a network makes of them: original, reconstruction, error, and the numbers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import streamlit as st

from aeviz import data
from aeviz.data import pictures
from aeviz.errors import BadFile
from aeviz.results import Rebuilt
from aeviz.runs import Run, list_runs
from aeviz.ui import cache, pick, show, words

Fit = Literal["crop", "pad"]
UPLOAD, FROM_SET = "Upload", "From the set"
SIDE = 150  # pixels a picture is enlarged to, at most
TYPES = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"]


@dataclass(frozen=True)
class Chosen:
    """Images (n, C, H, W) uint8 made to fit the run's network, what each is called, and the files they came from."""

    pixels: np.ndarray
    names: list[str]
    files: list[bytes] | None = None
    fit: Fit = "crop"

    def fitted(self, run: Run) -> np.ndarray:
        """The same images for a run whose network may want another size or colour."""
        shape = run.config().data.shape
        if shape == self.pixels.shape[1:]:
            return self.pixels
        one = (pictures.encode_png(pictures.mosaic(image[None], columns=1, gap=0)) for image in self.pixels)
        return np.stack([data.read_image(file, shape, self.fit) for file in self.files or one])


def image_picker(run: Run) -> Chosen:
    """Images of one's own, or some of the run's test images where they are at hand."""
    sources = [UPLOAD, FROM_SET] if cache.images_if_here(run) else [UPLOAD]
    source = st.segmented_control(
        "Images", sources, default=sources[-1], required=True, key="pictures.source", width="stretch",
        persist_state="session",
    )  # fmt: skip
    return _uploads(run) if source == UPLOAD else _from_set(run)


def _uploads(run: Run) -> Chosen:
    """Uploaded files, made to fit; a bad one is named with its reason and the others go on."""
    shape = run.config().data.shape
    files = st.file_uploader("Your images", type=TYPES, accept_multiple_files=True, key="pictures.files")
    fit: Fit = st.segmented_control(
        "Fit", ["crop", "pad"], default="crop", required=True, key="pictures.fit", width="stretch",
        format_func=words.label, persist_state="session", help="Crop to the centre square, or pad to a square.",
    )  # fmt: skip
    st.caption(f"Made to fit the network: {words.shape(shape)}.")
    pixels, names, contents = [], [], []
    for file in files or []:
        try:
            pixels.append(data.read_image(file.getvalue(), shape, fit))
            names.append(file.name)
            contents.append(file.getvalue())
        except BadFile as error:
            st.error(f"**{words.plain(file.name)}** {words.plain(error)}")
    return Chosen(np.stack(pixels) if pixels else np.empty((0, *shape), np.uint8), names, contents, fit)


def _from_set(run: Run) -> Chosen:
    """Test images: the first ones, or those rebuilt best or worst."""
    dataset = cache.images_of(run)
    order = st.selectbox(
        "Which", ["mixed", "worst", "best"], key="pictures.order",
        format_func=words.label, persist_state="session", help="Worst and best by the error of their reconstruction.",
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


def rival_picker(run: Run) -> list[Run]:
    """Other runs to rebuild the same images with."""
    others = {other.id: other for other in list_runs() if other.id != run.id and other.has_weights()}
    if not others:
        return []
    titles = pick.titles(list(others.values()))
    chosen = st.multiselect(
        "Compare with", list(others), key="pictures.rivals", format_func=lambda id: titles.get(id, id), max_selections=4,
        placeholder="Other runs", persist_state="session", help="The same images through other networks, fitted to each one's size.",
    )  # fmt: skip
    return [others[id] for id in chosen]


def view_picker(chosen: Chosen) -> str | None:
    """The pictures beside each other, or their dots on the map; without an image, what to do."""
    if not chosen.names:
        st.info("Upload one image or several; each is rebuilt and compared here.", icon=":material/upload:")
        return None
    return st.segmented_control(
        "View", ["pictures", "map"], default="pictures", required=True, key="pictures.view", label_visibility="collapsed",
        format_func={"pictures": "Pictures", "map": "On the map"}.__getitem__, persist_state="session",
    )  # fmt: skip


def cards(chosen: Chosen, runs: list[Run]) -> None:
    """One card an image: original, reconstruction and absolute error side by side for each run, with the numbers."""
    rebuilt = [cache.rebuild(run, chosen.fitted(run)) for run in runs]
    top = max(float(np.abs(each.x - each.x_hat).max()) for each in rebuilt) or 1.0
    numbers = [each.numbers() for each in rebuilt]
    rows = [_rows(each, top) for each in rebuilt]
    titles = pick.titles(runs)
    st.caption(f"Original, reconstruction, and absolute error from black (0) to bright ({top:.2f}).")
    with st.grid(min_column_width=300, gap="medium"):
        for position, name in enumerate(chosen.names):
            best = min(range(len(runs)), key=lambda place: numbers[place]["mse"][position])
            with st.container(border=True, gap="small"):
                st.text(name)
                for place, run in enumerate(runs):
                    show.picture(rows[place][position], "Original, reconstruction, error")
                    mark = ":material/trophy: " if len(runs) > 1 and place == best else ""
                    title = f"{mark}**{words.plain(titles[run.id])}** · " if len(runs) > 1 else ""
                    st.caption(title + _said({key: values[position] for key, values in numbers[place].items()}))


def _rows(rebuilt: Rebuilt, top: float) -> list[bytes]:
    """For each image the three pictures side by side, as a PNG with hard pixel edges."""
    scale = max(1, SIDE // max(rebuilt.x.shape[-2:]))
    x, x_hat = pictures.to_pixels(rebuilt.x), pictures.to_pixels(rebuilt.x_hat)
    errors = pictures.error_map(rebuilt.x, rebuilt.x_hat, top)
    three = [np.stack([as_colour(images[position]) for images in (x, x_hat, errors)]) for position in range(len(x))]
    return [pictures.encode_png(pictures.mosaic(images, columns=3, scale=scale, gap=4)) for images in three]


def as_colour(image: np.ndarray) -> np.ndarray:
    """A grey image (1, H, W) as (3, H, W)."""
    return np.repeat(image, 3, axis=0) if len(image) == 1 else image


def _said(numbers: dict[str, float | None]) -> str:
    parts = [f"MSE {words.number(numbers['mse'])}"]
    if numbers["psnr"] is not None:
        parts.append(f"PSNR {numbers['psnr']:.1f} dB")
    if numbers["ssim"] is not None:
        parts.append(f"SSIM {round(numbers['ssim'], 2) + 0.0:.2f}")
    if numbers["percentile"] is not None:
        parts.append(f"worse than {numbers['percentile']:.0f} % of the test images")
    return " · ".join(parts)

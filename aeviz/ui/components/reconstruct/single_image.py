"""View One image: original, reconstruction, signed error, editable code, metrics and neighbours."""

import hashlib
from typing import Any

import numpy as np
import streamlit as st

from aeviz import plots
from aeviz.data import pictures
from aeviz.errors import MissingData
from aeviz.latent.conditioning import one_hot
from aeviz.latent.neighbours import nearest
from aeviz.plots.packed import pack
from aeviz.results import Rebuilt
from aeviz.runs import Run
from aeviz.ui import cache, pick, words
from aeviz.ui.components.bridges import bridge, joined
from aeviz.ui.components.export_buttons import export_menu
from aeviz.ui.components.images.class_labels import class_picker, user_labels
from aeviz.ui.components.images.gallery import gallery
from aeviz.ui.components.images.pictures import Chosen, as_colour, name_of, strip
from aeviz.ui.components.map.scenes import decoding_of
from aeviz.ui.components.posters import Row, poster

PARTS = (
    "codes/decoder.js", "map/base.js", "map/decode.js", "images/wipe.js", "codes/code_bars.js", "images/reconstruction.js",
)  # fmt: skip
MOST_TALL = 300  # pixels, of each of the three images
NEAREST, NEAREST_SIDE = 6, 44
TEXTS = {
    "original": "Original", "reconstruction": "Reconstruction", "error": "Error", "in": "Zoom in", "out": "Zoom out",
    "changed": "With this code", "minus": "Reconstruction minus original",
    "wipe": "Wipe between original and reconstruction",
    "looks": "Drag across the reconstruction to wipe. Scroll or pinch to zoom.",
    "pixel": "Pixel", "title": "Code of {count} numbers", "hint": "Drag a bar. Double-click to reset it.",
    "more": "Swipe sideways for more.",
    "reset": "Reset all", "was": "was",
}  # fmt: skip
MEANINGS = {
    "mse": "Mean squared error per pixel, for pixels from 0 to 1.",
    "psnr": "Peak signal-to-noise ratio; higher is better.",
    "ssim": "Structural similarity; 1 is the same picture.",
    "percentile": "Share of test images with a smaller reconstruction error.",
}

_rebuilt = bridge("aeviz_rebuilt", joined(*PARTS), css=joined("images/reconstruction.css"))


def image_view(run: Run, chosen: Chosen) -> None:
    """Draw thumbnails of all images, and the selected one enlarged."""
    strip(chosen, "pictures.strip")
    rebuilt = cache.rebuild(run, chosen.pixels, chosen.labels)
    _rebuilt(data=pack(_shown(run, rebuilt, chosen.picked)), key="pictures.rebuilt")
    numbers, near = st.columns([5, 4], gap="medium", vertical_alignment="center")
    with numbers:
        _numbers({name: values[chosen.picked] for name, values in rebuilt.numbers().items()})
        if rebuilt.condition is not None:
            _class_line(run, chosen, int(rebuilt.condition[chosen.picked]))
    with near:
        _nearest(run, rebuilt.z[chosen.picked])
    with st.container(horizontal_alignment="right"):
        _export(run, rebuilt, chosen.picked, chosen.names[chosen.picked])


def _class_line(run: Run, chosen: Chosen, condition: int) -> None:
    """Show the class used for conditioning; selectable for images without a label."""
    image = chosen.pixels[chosen.picked]
    if chosen.labels[chosen.picked] == user_labels(run, image[None])[0]:
        class_picker(run, image, condition)
    else:
        st.caption(f"Conditioned on its class: {words.plain(run.config().data.classes[condition])}.")


def _shown(run: Run, rebuilt: Rebuilt, picked: int) -> dict[str, Any]:
    """The component's data of an image; without codes of test images the bars have no range."""
    x, z = rebuilt.x[picked], rebuilt.z[picked]
    condition = None if rebuilt.condition is None else rebuilt.condition[[picked]]
    named = hashlib.sha256(x.tobytes() + f"{run.id} {run.weights_id()} {condition}".encode()).hexdigest()[:16]
    shown = {
        "image": named,
        "shape": list(x.shape),
        "x": x.ravel(),
        "x_hat": rebuilt.x_hat[picked].ravel(),
        "z": z,
        "told": one_hot(condition, cache.model(run).n_classes),
        "words": TEXTS,
    }
    return shown | {"decode": decoding_of(run), "colours": list(plots.DIVERGING), "most": MOST_TALL} | _ranges(run)


def _ranges(run: Run) -> dict[str, Any]:
    """The 1st and 99th percentile of each latent dimension over the test images, and the order by variance."""
    try:
        codes = cache.codes(run, "test").z
    except MissingData:
        return {"order": None}
    if not len(codes):
        return {"order": None}
    low, high = np.percentile(codes, [1, 99], axis=0)
    order = np.argsort(-codes.var(axis=0), kind="stable") if codes.shape[1] > 64 else np.arange(codes.shape[1])
    return {"low": low, "high": high, "order": order}


def _export(run: Run, rebuilt: Rebuilt, picked: int, name: str) -> None:
    """Export the selected image, its reconstruction and its error map."""
    x, x_hat, z = (part[picked : picked + 1] for part in (rebuilt.x, rebuilt.x_hat, rebuilt.z))
    numbers = {measure: values[picked] for measure, values in rebuilt.numbers().items()}
    errors, most = pictures.signed_error_map(x, x_hat, plots.DIVERGING)
    shown = np.stack([as_colour(pictures.to_pixels(x[0])), as_colour(pictures.to_pixels(x_hat[0])), errors[0]])
    row = Row(
        shown, below=[TEXTS[part] for part in ("original", "reconstruction", "error")],
        scale=(plots.DIVERGING, words.signed(-most), words.signed(most))
    )  # fmt: skip
    export_menu(
        "reconstruction", shown[None], {"x": x[0], "x_hat": x_hat[0], "z": z[0]},
        {"image": np.array([name]), **{measure: np.array([value]) for measure, value in numbers.items()}},
        picture=lambda: poster([row], f"{name} · {_metrics_line(numbers)} · {pick.titles([run])[run.id]}"),
    )  # fmt: skip


def _metrics_line(numbers: dict[str, Any]) -> str:
    mse, psnr, ssim = words.number(numbers["mse"]), words.decibels(numbers["psnr"]), words.number(numbers["ssim"], 2)
    return f"MSE {mse} · {psnr} · SSIM {ssim}"


def _numbers(numbers: dict[str, Any]) -> None:
    psnr, ssim, place = numbers["psnr"], numbers["ssim"], numbers["percentile"]
    shown = {
        "mse": words.number(numbers["mse"]), "psnr": "–" if psnr is None else f"{psnr:.1f} dB",
        "ssim": "–" if ssim is None else f"{ssim:.2f}",
        "percentile": "–" if place is None else f"{place:.0f} %",
    }  # fmt: skip
    with st.container(horizontal=True, gap="small", horizontal_alignment="distribute"):
        for name, value in shown.items():
            st.metric(
                "Worse than" if name == "percentile" else words.label(name), value, help=MEANINGS[name], width="content"
            )


def _nearest(run: Run, z: np.ndarray) -> None:
    """Show the training images with the nearest codes."""
    dataset = cache.images_if_here(run)
    if dataset is None or dataset.kept:
        return
    codes = cache.codes(run, "train")
    rows = codes.index[nearest(codes.z, z[None], NEAREST)[1][0]]
    labels = [dataset.classes[label] if label >= 0 else "" for label in dataset.labels[rows]]
    st.caption("Nearest training images in latent space")
    gallery(
        dataset.images[rows], key="pictures.nearest", side=NEAREST_SIDE, labels=labels if dataset.classes else (),
        notes=[name_of(dataset, row) for row in rows], row=True,
    )  # fmt: skip

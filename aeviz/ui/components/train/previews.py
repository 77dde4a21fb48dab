"""Previews below groups of settings: the learning-rate schedule, and augmented images."""

from collections.abc import Callable

import numpy as np
import streamlit as st
import torch

from aeviz import plots, training
from aeviz.data import pictures
from aeviz.models import Batch, ModelConfig
from aeviz.models.variants.denoising import DenoisingConfig, corrupt
from aeviz.training import Recipe
from aeviz.training.batches import augment
from aeviz.ui import cache, show
from aeviz.ui.components.train.finder import rate_finder

POINTS = 160  # of the learning-rate curve
SAMPLES, COLUMNS = 8, 4
SIDE = 84  # approximate pixels of a sample

Preview = Callable[[Recipe, ModelConfig], None]


def rate_preview(recipe: Recipe, model: ModelConfig) -> None:
    """Draw the learning-rate schedule and the learning-rate finder."""
    config = recipe.training
    epochs = np.linspace(0.0, config.epochs, POINTS)
    rates = [training.rate_at(config, float(epoch), config.epochs) for epoch in epochs]
    st.plotly_chart(
        plots.rate_curve(epochs.tolist(), rates), key="rate_curve", config={"displayModeBar": False},
        alt="The learning rate over the epochs",
    )  # fmt: skip
    if config.schedule == "plateau":
        st.caption("The rate drops when validation loss plateaus, which cannot be predicted here.")
    rate_finder(recipe)


def image_preview(recipe: Recipe, model: ModelConfig) -> None:
    """Draw eight training images and the corresponding network inputs."""
    if len(model.sample_shape) != 3:
        return
    dataset = cache.dataset(recipe.data.name, recipe.data.params)
    images = np.asarray(dataset.images[dataset.rows("train")[:SAMPLES]])
    fed = _corrupted(model, augment.shown(recipe.training.augment, images, seed=recipe.seed), recipe.seed)
    scale = max(1, SIDE // images.shape[-1])
    picture = pictures.originals_over_reconstructions(images, fed, columns=COLUMNS, scale=scale)
    show.picture(pictures.encode_webp(picture), "Training images above, network inputs below")
    what = "network inputs" if (fed != images).any() else "unchanged network inputs"
    st.caption(f"Training images above, {what} below.")


def _corrupted(model: ModelConfig, images: np.ndarray, seed: int) -> np.ndarray:
    """Images (N, C, H, W) uint8, corrupted if the network is a denoising autoencoder."""
    if not isinstance(model, DenoisingConfig):
        return images
    x = torch.from_numpy(images).float() / 255.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        noisy = corrupt(model, Batch(x, x), model.noise)
    return pictures.to_pixels(noisy.numpy())


PREVIEWS: dict[str, Preview] = {"Learning rate": rate_preview, "Augmentation": image_preview}

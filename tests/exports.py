"""Runs to take elsewhere, and names that would like to be more than names."""

from dataclasses import replace

import torch

from aeviz import data, runs, training
from aeviz.models import build, fitted_to
from aeviz.models.weights import save_model
from aeviz.runs import Note, TrainingConfig, stored_images
from aeviz.training import Recipe

MARKUP = '</script><img src=x onerror="window.harmed = 1">'
FORMULA = '=HYPERLINK("http://x")\tand\nmore'
QUOTES = "'''\"\"\"\\\nimport os"


def with_weights(run):
    """The run with the weights a network begins with."""
    torch.manual_seed(0)
    config = run.config()
    save_model(build(config.model, config.training.loss), run.weights, {"step": 0})
    return run


def untrained(model=None, set="digits", params=None, **training_settings):
    """A run that has learned nothing, with weights."""
    body = {"name": "dense", "widths": [16]}
    recipe = {
        "data": {"name": set, "params": params or {}}, "model": {"latent_dim": 3, "body": body, **(model or {})},
        "training": {"device": "cpu", **training_settings},
    }  # fmt: skip
    return with_weights(training.prepare(Recipe.parse(recipe)))


def hostile():
    """A run whose title, note, set and classes are named to do harm; its images came with it."""
    dataset = data.load("digits")
    dataset = replace(dataset, name=QUOTES, classes=(MARKUP, FORMULA, QUOTES, *dataset.classes[3:]))
    model = fitted_to({"latent_dim": 3, "body": {"name": "dense", "widths": [16]}}, dataset.shape)
    run = with_weights(runs.create(dataset, model, TrainingConfig(device="cpu")))
    run.write_note(Note(title=MARKUP + QUOTES, note=f"{MARKUP}\n{QUOTES}"))
    stored_images.store_images(run, dataset)
    return run

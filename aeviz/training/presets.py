"""Presets: recommended recipes by data set, with their measured results."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import Field

from aeviz import files
from aeviz.config import Settings
from aeviz.training.start import Recipe

PATH = Path(__file__).with_suffix(".json")
OWN = "own"  # key of the presets for user images and for data sets without presets


class Measured(Settings):
    """The result of training a preset once (`python -m bench.presets`); PSNR of the mean MSE, in dB."""

    test_psnr: float
    val_psnr: float
    seconds: float = Field(ge=0)
    device: str
    threads: int
    precision: str
    of: str = Field(description="Fingerprint of the settings that were trained.")


class Preset(Settings):
    """A named recipe with its measured result, if there is one."""

    name: str
    label: str
    summary: str
    recipe: Recipe
    measured: Measured | None = None


def presets_for(data_name: str) -> list[Preset]:
    """The presets of a data set, in screen order; unmeasured ones for unknown data sets."""
    written = read()
    known = data_name in written and data_name != OWN
    return [_preset(data_name, values) for values in written[data_name if known else OWN]]


def read() -> dict[str, list[dict[str, Any]]]:
    """The presets of all data sets as stored in presets.json."""
    return files.read_json(PATH)


def fingerprint(values: dict[str, Any]) -> str:
    """A hash of a stored preset's settings, which invalidates measurements when they change."""
    settings = {part: values[part] for part in ("model", "training")}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def _preset(data_name: str, values: dict[str, Any]) -> Preset:
    recipe = {"data": {"name": data_name}, "model": values["model"], "training": values["training"]}
    words = {key: values[key] for key in ("name", "label", "summary")}
    return Preset.parse({**words, "recipe": recipe, "measured": values["measured"]})

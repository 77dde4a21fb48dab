"""Save and load networks: one safetensors file with settings and position in its metadata, never a pickle."""

import json
import uuid
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from aeviz import files
from aeviz.errors import BadFile
from aeviz.models import Autoencoder, build, model_config
from aeviz.models.base import LiveSettings
from aeviz.models.meta import shapes_only

FORMAT = "1"


def save_model(
    model: Autoencoder, path: Path, position: dict[str, Any], extra: dict[str, Tensor] | None = None
) -> None:
    """Write a weights file: the model's tensors under `model.`, `extra` tensors, settings in the metadata."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()} | (extra or {})
    on_cpu = {name: tensor.detach().to("cpu").contiguous() for name, tensor in tensors.items()}
    metadata = {
        "format": FORMAT,
        "model": json.dumps(model.config.to_json()),
        "loss": model.loss,
        "position": json.dumps(position | {"mark": uuid.uuid4().hex[:12]}),
    }
    files.write_bytes(path, save(on_cpu, metadata))


@files.cached_by_stat(most=512)
def read_metadata(path: Path) -> dict[str, Any]:
    """A weights file's `model` settings, `loss` and `position`, without reading tensors; cached, so do not modify.

    Raises:
        BadFile: not a weights file of aeviz.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        values = {"loss": metadata["loss"]} | {key: json.loads(metadata[key]) for key in ("model", "position")}
    except (SafetensorError, KeyError, ValueError, OSError, RecursionError) as error:
        raise BadFile("{file} is not a weights file of aeviz ({reason})", file=path.name, reason=error) from None
    if not isinstance(values["model"], dict) or not isinstance(values["position"], dict):
        raise BadFile("{file} is not a weights file of aeviz (its settings are not objects)", file=path.name)
    if metadata.get("format") != FORMAT:
        raise BadFile(
            "{file} has format {format}; this version reads {known}",
            file=path.name, format=metadata.get("format"), known=FORMAT,
        )  # fmt: skip
    return values


def load_model(path: Path, device: str = "cpu") -> tuple[Autoencoder, dict[str, Any]]:
    """Load the network in a weights file, in eval mode, and its position.

    Raises:
        BadFile: not a weights file of aeviz, or tensors that do not fit the settings.
    """
    metadata = read_metadata(path)
    with shapes_only():
        model = build(model_config(metadata["model"]), metadata["loss"])
    load_state(model, read_tensors(path, "model.", device), path)
    model.live = LiveSettings(model.config)  # never saved, so still on the meta device
    return model.to(device).eval(), metadata["position"]


def read_tensors(path: Path, prefix: str, device: str = "cpu") -> dict[str, Tensor]:
    """Read the tensors whose names start with a prefix; the prefix is removed."""
    with safe_open(path, framework="pt", device=device) as file:
        names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118
        return {name.removeprefix(prefix): file.get_tensor(name) for name in names}


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def load_state(model: Autoencoder, tensors: dict[str, Tensor], path: Path) -> None:
    """Load tensors into a network; names, shapes and dtypes must match exactly.

    Raises:
        BadFile: a tensor is missing, unknown, or of another shape or dtype.
    """
    wanted = {name: _form(tensor) for name, tensor in model.state_dict().items()}
    found = {name: _form(tensor) for name, tensor in tensors.items()}
    if wanted != found:
        name = next(name for name in {**wanted, **found} if wanted.get(name) != found.get(name))
        raise BadFile(
            "{file} does not fit its own settings: {name} is {found}, and should be {wanted}",
            file=path.name, name=name, found=found.get(name, "missing"), wanted=wanted.get(name, "absent"),
        )  # fmt: skip
    model.load_state_dict(tensors, assign=True)

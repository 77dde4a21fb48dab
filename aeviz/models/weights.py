"""Networks on disk: one safetensors file that carries its own settings and position, never a pickle."""

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
from aeviz.models.base import Dials
from aeviz.models.meta import shapes_only

FORMAT = "1"


def save_model(
    model: Autoencoder, path: Path, position: dict[str, Any], extra: dict[str, Tensor] | None = None
) -> None:
    """Replace a weights file: the model's tensors under `model.`, `extra` beside them, settings in the metadata."""
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
    """A weights file's settings `model`, `loss` and `position`, without reading a tensor; shared, so to be left as they are.

    Raises:
        BadFile: no weights of aeviz.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        values = {"loss": metadata["loss"]} | {key: json.loads(metadata[key]) for key in ("model", "position")}
    except (SafetensorError, KeyError, ValueError, OSError, RecursionError) as error:
        raise BadFile("{file} holds no weights of aeviz ({reason})", file=path.name, reason=error) from None
    if not isinstance(values["model"], dict) or not isinstance(values["position"], dict):
        raise BadFile("{file} holds no weights of aeviz (its settings are no settings)", file=path.name)
    if metadata.get("format") != FORMAT:
        raise BadFile(
            "{file} has format {format}; this version reads {known}",
            file=path.name, format=metadata.get("format"), known=FORMAT,
        )  # fmt: skip
    return values


def load_model(path: Path, device: str = "cpu") -> tuple[Autoencoder, dict[str, Any]]:
    """The network in a weights file, in eval mode, and its position.

    Raises:
        BadFile: no weights of aeviz, or tensors that do not fit their settings.
    """
    metadata = read_metadata(path)
    with shapes_only():
        model = build(model_config(metadata["model"]), metadata["loss"])
    load_state(model, read_tensors(path, "model.", device), path)
    model.dials = Dials(model.config)  # never saved, so still on the meta device
    return model.to(device).eval(), metadata["position"]


def read_tensors(path: Path, prefix: str, device: str = "cpu") -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, under their names without it."""
    with safe_open(path, framework="pt", device=device) as file:
        return {name.removeprefix(prefix): file.get_tensor(name) for name in file.keys() if name.startswith(prefix)}  # noqa: SIM118


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def load_state(model: Autoencoder, tensors: dict[str, Tensor], path: Path) -> None:
    """Fill a network with tensors of exactly its shapes.

    Raises:
        BadFile: a tensor is missing, unknown, or of another shape.
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

"""Encoder and decoder as ONNX files, verified against PyTorch before they are written."""

import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from aeviz.data import set_label
from aeviz.errors import BadValue
from aeviz.export.base import write_members
from aeviz.export.text import readable
from aeviz.models import Autoencoder
from aeviz.models.base import mode
from aeviz.results.store import Report
from aeviz.runs import Run

TOLERANCE = 1e-4  # largest difference from torch, relative to the largest value if that is above 1
BATCH_SIZES = (1, 5)  # batch sizes that are compared
Feed = dict[str, np.ndarray]


class Encoder(nn.Module):
    """From images, and classes if the network is conditional, to codes."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """Codes (B, D) of images x (B, C, H, W) in [0, 1] and labels (B,), if any."""
        return self.model.code(x, labels)


class Decoder(nn.Module):
    """From codes, and classes if the network is conditional, to images."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images (B, C, H, W) in [0, 1] of codes z (B, D) and labels (B,), if any."""
        return self.model.decode(z, labels)


class Half(NamedTuple):
    """An encoder or a decoder: its inputs by name, with random examples, and its output."""

    module: nn.Module
    inputs: dict[str, Callable[[int], Tensor]]
    output: str


def write_onnx(run: Run, out: Path, report: Report) -> str:
    """Write both halves and a README, as a zip or a folder.

    Raises:
        BadValue: a file's output differs from torch's; nothing is written.
    """
    model = run.load()
    members: dict[str, bytes | str] = {"README.txt": readme(run, model)}
    differences = []
    for number, (name, half) in enumerate(halves(model).items()):
        report(number, 2, f"Writing {name}.onnx")
        content = members[f"{name}.onnx"] = to_onnx(half)
        differences.append(check(content, half, name))
    write_members(out, members)
    return f"Encoder and decoder match PyTorch within {max(differences):.1g}."


def halves(model: Autoencoder) -> dict[str, Half]:
    """Encoder and decoder, with functions that draw example inputs."""
    drawn = torch.Generator().manual_seed(0)

    def images(n: int) -> Tensor:
        return torch.rand((n, *model.sample_shape), generator=drawn)

    @torch.no_grad()
    def codes(n: int) -> Tensor:
        return mode(model.encode(images(n))).float()

    def labels(n: int) -> Tensor:
        return torch.arange(n) % (classes + 1) - 1  # one of them is unknown

    classes = model.n_classes
    label_input = {"labels": labels} if takes_labels(model) else {}
    return {
        "encoder": Half(Encoder(model), {"x": images, **label_input}, "z"),
        "decoder": Half(Decoder(model), {"z": codes, **label_input}, "x_hat"),
    }


def takes_labels(model: Autoencoder) -> bool:
    """Whether the network is conditional."""
    return "n_classes" in type(model.config).model_fields


@torch.no_grad()
def to_onnx(half: Half) -> bytes:
    """The half as the bytes of an ONNX file with a dynamic batch dimension."""
    batch = torch.export.Dim("batch", min=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="# The axis name")  # codes and labels share it
        program: Any = torch.onnx.export(
            half.module.eval(),
            tuple(draw(2) for draw in half.inputs.values()),
            input_names=list(half.inputs),
            output_names=[half.output],
            dynamic_shapes=tuple({0: batch} for _ in half.inputs),
            dynamo=True,
            verbose=False,
        )
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # source paths of this machine
    content = io.BytesIO()
    program.save(content)
    return content.getvalue()


def check(content: bytes, half: Half, name: str) -> float:
    """The largest difference from torch over batches of several sizes.

    Raises:
        BadValue: the difference is too large.
    """
    run = runtime(content)
    differences = []
    for size in BATCH_SIZES:
        fed = {name: draw(size) for name, draw in half.inputs.items()}
        with torch.no_grad():
            wanted = half.module(*fed.values()).numpy()
        found = run({name: value.numpy() for name, value in fed.items()})
        differences.append(float(np.abs(found - wanted).max() / max(1.0, np.abs(wanted).max())))
    if not max(differences) <= TOLERANCE:
        raise BadValue(
            "the {name} written for ONNX differs from torch's by {found:.2g}, more than {most:g}; it is not written",
            name=name, found=max(differences), most=TOLERANCE,
        )  # fmt: skip
    return max(differences)


def runtime(content: bytes) -> Callable[[Feed], np.ndarray]:
    """A function that runs the file: in ONNX Runtime if installed, else in ONNX's slower reference evaluator."""
    try:
        import onnxruntime
    except ImportError:
        import onnx
        from onnx.reference import ReferenceEvaluator

        evaluator = ReferenceEvaluator(onnx.load_model_from_string(content))
    else:
        evaluator = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return lambda feed: evaluator.run(None, feed)[0]


def readme(run: Run, model: Autoencoder) -> str:
    """The README: inputs and outputs of each file."""
    config, shape = run.config(), ", ".join(map(str, model.sample_shape))
    names = ", ".join(f"{number} {readable(name)}" for number, name in enumerate(config.data.classes))
    label_input = f", labels (N) int64: {names}; -1 is unknown" if takes_labels(model) else ""
    fed = "{'x': x, 'labels': labels}" if label_input else "{'x': x}"
    return "\n".join(
        [
            f"{readable(run.title())}: {model.label}, trained by aeviz on {readable(set_label(config.data.name))}.",
            "",
            f"encoder.onnx: x (N, {shape}) float32, pixels in [0, 1]{label_input} -> z (N, {model.latent_dim}) float32, the codes.",
            f"decoder.onnx: z (N, {model.latent_dim}) float32{label_input} -> x_hat (N, {shape}) float32, pixels in [0, 1].",
            "",
            f"N is any number of images. Python: onnxruntime.InferenceSession('encoder.onnx').run(None, {fed})[0]",
            "",
        ]
    )

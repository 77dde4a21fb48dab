"""Encoder and decoder as ONNX files, handed out only once they have given what torch gives."""

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
from aeviz.export.text import readable
from aeviz.export.ways import write_members
from aeviz.models import Autoencoder
from aeviz.models.base import mode
from aeviz.results.store import Report
from aeviz.runs import Run

AT_MOST = 1e-4  # difference from torch, as a share of the largest number where that is above 1
BATCHES = (1, 5)  # images tried at once
Feed = dict[str, np.ndarray]


class Encoder(nn.Module):
    """From images, and classes where the network is told them, to codes."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.model.code(x, labels)


class Decoder(nn.Module):
    """From codes, and classes where the network is told them, to images."""

    def __init__(self, model: Autoencoder) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.model.decode(z, labels)


class Half(NamedTuple):
    """An encoder or a decoder: what it takes and gives by name, and something to try it with."""

    module: nn.Module
    inputs: dict[str, Callable[[int], Tensor]]
    output: str


def write_onnx(run: Run, out: Path, report: Report) -> str:
    """Both halves and a README in a zip or a folder.

    Raises:
        BadValue: a file that does not give what torch gives; nothing is written.
    """
    model = run.load()
    members: dict[str, bytes | str] = {"README.txt": readme(run, model)}
    differences = []
    for number, (name, half) in enumerate(halves(model).items()):
        report(number, 2, f"Writing {name}.onnx")
        content = members[f"{name}.onnx"] = to_onnx(half)
        differences.append(check(content, half, name))
    write_members(out, members)
    return f"Encoder and decoder give what torch gives, within {max(differences):.1g}."


def halves(model: Autoencoder) -> dict[str, Half]:
    """Encoder and decoder, and how to draw something to feed them."""
    drawn = torch.Generator().manual_seed(0)

    def images(n: int) -> Tensor:
        return torch.rand((n, *model.sample_shape), generator=drawn)

    @torch.no_grad()
    def codes(n: int) -> Tensor:
        return mode(model.encode(images(n))).float()

    def labels(n: int) -> Tensor:
        return torch.arange(n) % (classes + 1) - 1  # one of them unknown

    classes = model.n_classes
    told = {"labels": labels} if takes_labels(model) else {}
    return {
        "encoder": Half(Encoder(model), {"x": images, **told}, "z"),
        "decoder": Half(Decoder(model), {"z": codes, **told}, "x_hat"),
    }


def takes_labels(model: Autoencoder) -> bool:
    """Whether the network is told classes."""
    return "n_classes" in type(model.config).model_fields


@torch.no_grad()
def to_onnx(half: Half) -> bytes:
    """The half as the bytes of a file that takes any number of samples at once."""
    batch = torch.export.Dim("batch", min=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="# The axis name")  # codes and labels share theirs
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
        node.metadata_props.clear()  # where in whose folders each operation was written
    content = io.BytesIO()
    program.save(content)
    return content.getvalue()


def check(content: bytes, half: Half, name: str) -> float:
    """The largest difference from torch over batches of several sizes.

    Raises:
        BadValue: it is too large.
    """
    run = runtime(content)
    differences = []
    for size in BATCHES:
        fed = {name: draw(size) for name, draw in half.inputs.items()}
        with torch.no_grad():
            wanted = half.module(*fed.values()).numpy()
        found = run({name: value.numpy() for name, value in fed.items()})
        differences.append(float(np.abs(found - wanted).max() / max(1.0, np.abs(wanted).max())))
    if not max(differences) <= AT_MOST:
        raise BadValue(
            "the {name} written for ONNX differs from torch's by {found:.2g}, more than {most:g}; it is not handed out",
            name=name, found=max(differences), most=AT_MOST,
        )  # fmt: skip
    return max(differences)


def runtime(content: bytes) -> Callable[[Feed], np.ndarray]:
    """What runs the file: ONNX Runtime where it is here, else the slower evaluator that comes with ONNX."""
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
    """A line for each file: what goes in and what comes out."""
    config, shape = run.config(), ", ".join(map(str, model.sample_shape))
    names = ", ".join(f"{number} {readable(name)}" for number, name in enumerate(config.data.classes))
    told = f", labels (N) int64: {names}; -1 is unknown" if takes_labels(model) else ""
    fed = "{'x': x, 'labels': labels}" if told else "{'x': x}"
    return "\n".join(
        [
            f"{readable(run.title())}: {model.label}, trained by aeviz on {readable(set_label(config.data.name))}.",
            "",
            f"encoder.onnx: x (N, {shape}) float32, pixels in [0, 1]{told} -> z (N, {model.latent_dim}) float32, the codes.",
            f"decoder.onnx: z (N, {model.latent_dim}) float32{told} -> x_hat (N, {shape}) float32, pixels in [0, 1].",
            "",
            f"N is any number of images. Python: onnxruntime.InferenceSession('encoder.onnx').run(None, {fed})[0]",
            "",
        ]
    )

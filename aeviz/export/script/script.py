"""A run as one plain Python file that trains it again without aeviz."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from aeviz import data, files
from aeviz.data.sources.carried import PER_TILE
from aeviz.data.splits import make_splits
from aeviz.errors import BadValue
from aeviz.export.script import plain_loading, plain_losses
from aeviz.export.script.loop import loop_text
from aeviz.export.script.network import network_text
from aeviz.export.script.sources import Sources, names_in
from aeviz.export.text import readable
from aeviz.models import build, losses, variant
from aeviz.models.bodies import strided
from aeviz.results.store import Report
from aeviz.runs import Run, RunConfig


class Objective(NamedTuple):
    """The loss function of a variant, and its keyword arguments by the names of our settings."""

    of: Callable[..., Any]
    settings: dict[str, str]


class Loading(NamedTuple):
    """The function that loads a set, its arguments, and the packages it needs."""

    of: Callable[..., Any]
    given: Callable[[RunConfig], str]
    needs: tuple[str, ...]
    group: int = 1  # images per group that a split keeps together


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


OBJECTIVES: dict[str, Objective] = {
    "autoencoder": Objective(plain_losses.autoencoder, {}),
    "denoising": Objective(plain_losses.denoising, {"kind": "corrupt", "noise": "noise"}),
    "sparse": Objective(plain_losses.sparse, _same("penalty", "sparsity", "target")),
    "contractive": Objective(plain_losses.contractive, _same("contraction")),
    "rae": Objective(plain_losses.rae, _same("code_penalty", "decoder_penalty")),
    "vae": Objective(plain_losses.vae, _same("free_bits")),
    "beta_vae": Objective(plain_losses.vae, _same("free_bits", "beta")),
    "beta_tc_vae": Objective(plain_losses.beta_tc_vae, _same("free_bits", "beta")),
    "cvae": Objective(plain_losses.cvae, _same("free_bits", "n_classes")),
    "wae_mmd": Objective(plain_losses.wae_mmd, {"mmd": "weight"}),
    "vq_vae": Objective(plain_losses.vq_vae, _same("commitment")),
}
PLAIN_VERSIONS: dict[Callable[..., Any], Callable[..., Any]] = {
    losses.squared_error: plain_losses.squared_error,
    strided.conv_transpose2d: plain_losses.conv_transpose2d,
}
CORRUPTIONS: dict[str, Callable[..., Any]] = {
    "gaussian": plain_losses.gaussian_noise, "salt_pepper": plain_losses.salt_and_pepper,
    "masking": plain_losses.blackened_blocks, "blur": plain_losses.gaussian_blur,
}  # fmt: skip


def _nothing(config: RunConfig) -> str:
    return ""


def _params(config: RunConfig) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in config.data.params.items())


def _called(name: str) -> Callable[[RunConfig], str]:
    return lambda config: repr(name)


def _folder(config: RunConfig) -> str:
    return f"named_folder(), NAME, {', '.join(map(str, config.data.shape))}"


LOADINGS: dict[str, Loading] = {
    "digits": Loading(plain_loading.digits, _nothing, ("scikit-learn",)),
    "shapes": Loading(plain_loading.shapes, _params, ()),
    "photo_patches": Loading(plain_loading.photo_patches, _nothing, ("scikit-learn", "pillow"), PER_TILE),
    "mnist": Loading(plain_loading.mnist_format, _called("MNIST"), ("torchvision",)),
    "fashion_mnist": Loading(plain_loading.mnist_format, _called("FashionMNIST"), ("torchvision",)),
    "kmnist": Loading(plain_loading.mnist_format, _called("KMNIST"), ("torchvision",)),
    "cifar10": Loading(plain_loading.cifar10, _nothing, ("torchvision",)),
    "svhn": Loading(plain_loading.svhn, _nothing, ("torchvision", "scipy")),
}
OWN = Loading(plain_loading.folder_of_images, _folder, ("pillow",))


def write_script(run: Run, out: Path, report: Report) -> str:
    """Write the script.

    Raises:
        BadValue: the variant or the set has no plain form.
    """
    config = run.config()
    text = script_of(run)
    with files.replacing(out) as beside:
        beside.write_text(text, encoding="utf-8")
    return f"Run it with: python {out.name}{' FOLDER' if _loading(config) is OWN else ''}"


def script_of(run: Run) -> str:
    """The text of the script."""
    config, sources = run.config(), Sources(PLAIN_VERSIONS)
    loading = _loading(config)
    model = build(config.model, config.training.loss)
    load = f"{sources.add(loading.of)}({loading.given(config)})"
    if loading is OWN:
        sources.add(plain_loading.named_folder)
    sources.add(make_splits)
    group = f", group={loading.group}" if loading.group > 1 else ""
    own = [network_text(model, sources), _losses(config, sources), loop_text(config, sources, load, group)]
    body = "\n\n\n".join(part.strip() for part in own)
    sources.import_for(body)
    constants = "\n".join(_constants(config, body))
    sources.import_for(constants)
    head = "\n".join(f"# {line}".rstrip() for line in _header(run, config, loading))
    return f"{head}\n\n{sources.imports()}\n\n{constants}\n\n\n{sources.text()}\n\n\n{body}\n"


def _loading(config: RunConfig) -> Loading:
    """How the run's images are loaded; the user's own are loaded from a folder.

    Raises:
        BadValue: a registered set has no plain form.
    """
    name = config.data.name
    if name in data.DATASETS and name not in LOADINGS:
        raise BadValue("no script can load the set {name}; it can load {known}", name=name, known=", ".join(LOADINGS))
    return LOADINGS.get(name, OWN)


def _losses(config: RunConfig, sources: Sources) -> str:
    """The function `losses`: the variant's loss with the run's settings.

    Raises:
        BadValue: the variant has no plain form.
    """
    model = config.model
    if model.variant not in OBJECTIVES:
        label = variant(model.variant).label
        raise BadValue("no script can train a {label}; it can train {known}", label=label, known=", ".join(OBJECTIVES))
    objective = OBJECTIVES[model.variant]
    given = {there: repr(getattr(model, here)) for here, there in objective.settings.items()}
    if "corrupt" in given:
        given["corrupt"] = sources.add(CORRUPTIONS[getattr(model, "kind", "")])
    settings = "".join(f", {name}={value}" for name, value in given.items())
    return f'''
def losses(network: Network, x: Tensor, labels: Tensor, warmth: float) -> dict[str, Tensor]:
    """The terms of the loss, per image and averaged over the batch."""
    return {sources.add(objective.of)}(network, x, labels, warmth{settings})
'''


def _constants(config: RunConfig, body: str) -> Iterator[str]:
    """The constants that the body uses."""
    training, named = config.training, names_in(body)
    yield 'DEVICE = "cuda" if torch.cuda.is_available() else "cpu"'
    known = {
        "NAME": config.data.name, "SEED": config.seed, "EPOCHS": training.epochs, "BATCH_SIZE": training.batch_size,
        "LEARNING_RATE": training.learning_rate, "MOMENTUM": training.momentum, "WEIGHT_DECAY": training.l2,
        "WARMUP": training.warmup, "DECAY": training.decay, "DECAY_EPOCHS": training.decay_epochs,
        "ANNEALING": getattr(config.model, "annealing", 0.0), "AUGMENT": training.augment.to_json(), "L1": training.l1,
        "CLIP": training.clip, "EMA": training.ema, "PATIENCE": training.patience,
    }  # fmt: skip
    for name, value in known.items():
        if name in named:
            yield f"{name} = {value!r}"


def _header(run: Run, config: RunConfig, loading: Loading) -> Iterator[str]:
    """The header: what the file is, what it needs, and what it leaves out."""
    label, folder = variant(config.model.variant).label, " FOLDER" if loading is OWN else ""
    yield readable(run.title())
    yield from (readable(line) for line in run.note().note.splitlines())
    yield ""
    yield f"Trains this {label} again, without aeviz. Made {time.strftime('%Y-%m-%d')} of the run {run.id}."
    yield f"    python -m pip install {' '.join(['torch', 'numpy', *loading.needs])}"
    yield f"    python THIS_FILE{folder}"
    yield ""
    yield from _result(run)
    yield ""
    yield "What it leaves out:"
    for sentence in _left_out(run, config, loading):
        yield f"- {sentence}"


def _result(run: Run) -> Iterator[str]:
    validated = [line for line in run.metrics() if "val" in line]
    if validated:
        last = validated[-1]
        yield (
            f"In aeviz the validation loss (total) was {last['val']['total']:.4f} after epoch {last['epoch']}; here it "
            "will be the same apart from randomness."
        )


def _left_out(run: Run, config: RunConfig, loading: Loading) -> Iterator[str]:
    """What the script does differently from the run, as sentences."""
    yield "Multiple processes or devices, compilation, checkpoints and resuming: it trains in one go."
    for line in run.metrics():
        event = line.get("event", {})
        if event.get("kind") == "turn" and event["from"] != event["to"]:
            yield (
                f"In epoch {line['epoch'] + 1} {readable(event['path'])} went from {event['from']} to {event['to']}; "
                "here it has its final value from the start."
            )
        if event.get("kind") == "change":
            yield f"In epoch {line['epoch'] + 1} the network was changed; here it has its final form from the start."
    if any(config.training.augment.to_json().values()):
        yield "Augmented images: pixels from outside are black here; in aeviz they repeat the image's edge."
    if loading is OWN:
        yield (
            "Your images as they were imported: give the folder they came from. Each is cropped and resized; "
            "train and test folders, padding, and backgrounds other than white are ignored."
        )

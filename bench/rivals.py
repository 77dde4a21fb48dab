"""Rivals: how else one would train the same network; each loop as its own documentation has it."""

import contextlib
import importlib.metadata
import importlib.util
import io
import logging
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader

from aeviz import training
from aeviz.data import Dataset
from aeviz.models import Autoencoder, build
from aeviz.training import Recipe
from bench.measure import Precision, Result, result_of, timed, wait_for

LOG_EVERY = 100  # batches, as in PyTorch's quickstart
INSTALL = ".venv/bin/python -m pip install -r bench/requirements.txt"


@dataclass(frozen=True)
class Rival:
    """Another way to train: `train(recipe, dataset, precision)`; the package it needs, where it needs one."""

    name: str
    train: Callable[[Recipe, Dataset, Precision], Result]
    package: str = ""

    def is_here(self) -> bool:
        """Whether it can be run."""
        return not self.package or importlib.util.find_spec(self.package) is not None

    @property
    def label(self) -> str:
        """Its name, with the version that is run."""
        return f"{self.name} {importlib.metadata.version(self.package)}" if self.package else self.name


def train_tutorial(recipe: Recipe, dataset: Dataset, precision: Precision) -> Result:
    """Train as PyTorch's quickstart does: batches from a DataLoader, forward, backward, step; validation each epoch.

    https://docs.pytorch.org/tutorials/beginner/basics/quickstart_tutorial.html
    """
    settings, device = recipe.training, recipe.training.device
    epoch_seconds: list[float] = []
    started = time.perf_counter()
    model = _fresh(recipe, dataset)
    optimizer = optim.Adam(model.parameters(), lr=settings.learning_rate)
    batches, val_batches = _loaders(dataset, settings.batch_size)
    for _ in range(settings.epochs):
        epoch_seconds.append(timed(lambda: _tutorial_epoch(model, optimizer, batches, precision), device))
        _tutorial_test(model, val_batches, precision)
    wait_for(device)
    return result_of(model, dataset, precision, epoch_seconds, time.perf_counter() - started)


def train_pythae(recipe: Recipe, dataset: Dataset, precision: Precision) -> Result:
    """Train as pythae does: its AE around our layers, its BaseTrainer, the images as one tensor of floats.

    Its mixed precision is float16 and for CUDA only, so that it always trains in float32.
    https://pythae.readthedocs.io/en/latest/trainers/base_trainer.html
    """
    from pythae.data.datasets import BaseDataset
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    settings, device = recipe.training, recipe.training.device

    class Timed(BaseTrainer):
        epoch_seconds: list[float]

        def train_step(self, epoch: int) -> Any:
            losses: list[Any] = []
            self.epoch_seconds.append(timed(lambda: losses.append(super(Timed, self).train_step(epoch)), device))
            return losses[0]

    with _quietly() as folder:
        started = time.perf_counter()
        model = _fresh(recipe, dataset)
        config = BaseTrainerConfig(
            output_dir=folder, num_epochs=settings.epochs, learning_rate=settings.learning_rate, optimizer_cls="Adam",
            per_device_train_batch_size=settings.batch_size, per_device_eval_batch_size=settings.batch_size,
            seed=recipe.seed, no_cuda=device == "cpu",
        )  # fmt: skip
        train, val = (BaseDataset(*_floats(dataset, split)) for split in ("train", "val"))
        trainer = Timed(_in_pythae(model, dataset), train, val, config)
        trainer.epoch_seconds = []
        trainer.train()
        wait_for(device)
        seconds = time.perf_counter() - started
    return result_of(model, dataset, "float32", trainer.epoch_seconds, seconds)


def _in_pythae(model: Autoencoder, dataset: Dataset) -> Any:
    """Our layers as pythae's AE."""
    from pythae.models import AE, AEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encoder(BaseEncoder):
        def __init__(self, layers: nn.Module) -> None:
            super().__init__()
            self.layers = layers

        def forward(self, x: Tensor) -> Any:
            return ModelOutput(embedding=self.layers(x))

    class Decoder(BaseDecoder):
        def __init__(self, layers: nn.Module) -> None:
            super().__init__()
            self.layers = layers

        def forward(self, z: Tensor) -> Any:
            return ModelOutput(reconstruction=self.layers(z).sigmoid())

    shape = AEConfig(input_dim=dataset.shape, latent_dim=model.latent_dim)
    return AE(shape, Encoder(model.encoder), Decoder(model.decoder))


def train_lightning(recipe: Recipe, dataset: Dataset, precision: Precision) -> Result:
    """Train by Lightning's Trainer, from the tutorial's DataLoader; without its logger, checkpoints and progress bar.

    https://lightning.ai/docs/pytorch/stable/starter/introduction.html
    """
    import lightning.pytorch as lightning

    settings, device = recipe.training, recipe.training.device

    with _quietly() as folder:
        started = time.perf_counter()
        module = _in_lightning(_fresh(recipe, dataset), recipe)
        trainer = lightning.Trainer(
            max_epochs=settings.epochs, precision="bf16-mixed" if precision == "bfloat16" else "32-true",
            accelerator={"cuda": "gpu"}.get(torch.device(device).type, torch.device(device).type),
            devices=[torch.device(device).index or 0] if device.startswith("cuda") else 1, default_root_dir=folder,
            logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            num_sanity_val_steps=0,
        )  # fmt: skip
        trainer.fit(module, *_loaders(dataset, settings.batch_size))
        wait_for(device)
        seconds = time.perf_counter() - started
    return result_of(module.model.to(device), dataset, precision, module.epoch_seconds, seconds)


def _in_lightning(model: Autoencoder, recipe: Recipe) -> Any:
    """The network as Lightning's module, which times its epochs."""
    import lightning.pytorch as lightning

    device = recipe.training.device

    class Module(lightning.LightningModule):
        def __init__(self, model: Autoencoder) -> None:
            super().__init__()
            self.model = model
            self.epoch_seconds: list[float] = []

        def training_step(self, batch: Any, number: int) -> Tensor:
            loss = _loss(self.model, batch[0])
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch: Any, number: int) -> None:
            self.log("val_loss", _loss(self.model, batch[0]))

        def configure_optimizers(self) -> optim.Optimizer:
            return optim.Adam(self.model.parameters(), lr=recipe.training.learning_rate)

        def on_train_epoch_start(self) -> None:
            wait_for(device)
            self.started = time.perf_counter()

        def on_validation_start(self) -> None:  # after the epoch's last step
            wait_for(device)
            self.epoch_seconds.append(time.perf_counter() - self.started)

    return Module(model)


RIVALS: dict[str, Rival] = {
    rival.name: rival
    for rival in (
        Rival("tutorial", train_tutorial),
        Rival("pythae", train_pythae, "pythae"),
        Rival("lightning", train_lightning, "lightning"),
    )
}


def in_torchvision(dataset: Dataset, split: Any) -> Any:
    """The split as torchvision's FashionMNIST with ToTensor, whose item code is used as it is; one channel only."""
    from torchvision.datasets import FashionMNIST, VisionDataset
    from torchvision.transforms import ToTensor

    class InHand(FashionMNIST):
        """Holds the given rows instead of reading files, so that all sides see the same images of any set."""

        def __init__(self) -> None:
            VisionDataset.__init__(self, root="", transform=ToTensor())
            rows = dataset.rows(split)
            self.data = torch.from_numpy(dataset.images[rows][:, 0])  # (N, 1, H, W) -> (N, H, W)
            self.targets = torch.from_numpy(dataset.labels[rows])

    return InHand()


def _loaders(dataset: Dataset, batch_size: int) -> tuple[DataLoader, DataLoader]:
    train, val = in_torchvision(dataset, "train"), in_torchvision(dataset, "val")
    return DataLoader(train, batch_size=batch_size, shuffle=True), DataLoader(val, batch_size=batch_size)


def _floats(dataset: Dataset, split: Any) -> tuple[Tensor, Tensor]:
    rows = dataset.rows(split)
    return torch.from_numpy(dataset.images[rows]).float() / 255.0, torch.from_numpy(dataset.labels[rows])


def _fresh(recipe: Recipe, dataset: Dataset) -> Autoencoder:
    """The network with the weights that aeviz begins with, too."""
    torch.manual_seed(recipe.seed)
    return build(training.start.fitted_model(recipe, dataset.shape), recipe.training.loss).to(recipe.training.device)


@contextlib.contextmanager
def _quietly() -> Iterator[str]:
    """A folder for what is written, gone afterwards; what is said goes nowhere (which costs the rivals nothing)."""
    before = logging.root.manager.disable
    with (
        tempfile.TemporaryDirectory(prefix="aeviz-bench-") as folder,
        contextlib.redirect_stderr(io.StringIO()),
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            yield folder
        finally:
            logging.disable(before)


def _tutorial_epoch(model: Autoencoder, optimizer: optim.Optimizer, batches: DataLoader, precision: Precision) -> None:
    model.train()
    for number, (x, _) in enumerate(batches):
        optimizer.zero_grad()
        loss = _tutorial_loss(model, x, precision)
        loss.backward()
        optimizer.step()
        if number % LOG_EVERY == 0:
            loss.item()


@torch.no_grad()
def _tutorial_test(model: Autoencoder, batches: DataLoader, precision: Precision) -> float:
    model.eval()
    return sum(_tutorial_loss(model, x, precision).item() for x, _ in batches) / len(batches)


def _tutorial_loss(model: Autoencoder, x: Tensor, precision: Precision) -> Tensor:
    device = next(model.parameters()).device
    # Around the forward pass only: autocast keeps the weights it has rounded until it is left.
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
        return _loss(model, x.to(device))


def _loss(model: Autoencoder, x: Tensor) -> Tensor:
    # Summed over pixels as in aeviz and pythae: Adam's epsilon makes the scale matter a little.
    return nn.functional.mse_loss(model.decode(model.code(x)), x, reduction="sum") / len(x)

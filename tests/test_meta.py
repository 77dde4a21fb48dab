"""A training step never waits for its device: on the `meta` device, which has no numbers, whoever asks for one fails."""

import dataclasses
import sys

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import _foreach_utils
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from aeviz import data
from aeviz.latent.projections.tsne.attraction import Attraction
from aeviz.latent.projections.tsne.optimiser import Descent
from aeviz.latent.projections.tsne.repulsion import GridRepulsion
from aeviz.models import LOSSES, VARIANTS, build, fitted_to
from aeviz.models.variants.noise import NOISES
from aeviz.runs import Position, TrainingConfig
from aeviz.runs.config import AugmentConfig
from aeviz.training.batches.augment import Augment
from aeviz.training.batches.feed import Feed
from aeviz.training.logs.metrics_log import MetricsLog
from aeviz.training.steps.optimizers import OPTIMIZERS
from aeviz.training.steps.schedule import SCHEDULES
from aeviz.training.steps.stepper import Stepper

VARIED = {
    "flip_horizontal": True, "flip_vertical": True, "shift": 0.1, "rotation": 10.0, "scale": 0.1, "crop": 0.1,
    "brightness": 0.1, "contrast": 0.1,
}  # fmt: skip
NORM = {"norm": "batch", "dropout": 0.1}
BODY: dict[str, dict] = {
    "dense": {"name": "dense", "widths": [16], **NORM},
    "conv": {"name": "conv", "channels": [4, 8], **NORM},
    "residual": {"name": "residual", "channels": [4, 8], **NORM},
    "custom": {"name": "custom", "layers": [
        {"kind": "conv", "size": 4, "norm": "group"}, {"kind": "pool", "stride": 2},
        {"kind": "dense", "size": 16, "norm": "layer"},
    ]},
}  # fmt: skip
IN_PLACE = {  # what torch has no kernel for on `meta`: the steps that read their rate from the device
    "_fused_adam_.tensor_lr": lambda *_, **__: None,
    "_fused_adamw_.tensor_lr": lambda *_, **__: None,
    "_fused_sgd_.tensor_lr": lambda *_, **__: None,
}


class Waited(AssertionError):
    """The host's numbers were brought to the device, for which the host waits; within a graph that is an error."""


class NothingIsBrought(TorchDispatchMode):
    """Fails where an operation on the device reads an array of the host."""

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        result = function(*arguments, **(named or {}))
        tensors = [each for each in tree_leaves((arguments, named, result)) if isinstance(each, torch.Tensor)]
        if len({each.device.type for each in tensors if each.ndim > 0}) > 1:
            raise Waited(f"{function} reads tensors of the host")
        return result


class NothingIsMadeOfNumbers(TorchFunctionMode):
    """Fails where Python's numbers become a tensor of the device by way of the host's memory."""

    MAKERS = (torch.tensor, torch.as_tensor, torch.asarray, torch.Tensor.new_tensor)

    def __torch_function__(self, function, types, arguments=(), named=None):
        if function in self.MAKERS and not isinstance(arguments[-1], torch.Tensor):
            raise Waited(f"{function.__name__}{arguments} makes a tensor of numbers at every step")
        return function(*arguments, **(named or {}))


@pytest.fixture(autouse=True)
def meta_as_card(monkeypatch):
    """Optimizers take `meta` for a card: fused and foreach kernels, rate and counts on the device."""
    fused, foreach = (
        [*known(), "meta"]
        for known in (
            _foreach_utils._get_fused_kernels_supported_devices,
            _foreach_utils._get_foreach_kernels_supported_devices,
        )
    )
    modules = sys.modules  # `torch.optim` hides some of its modules behind names of its own
    monkeypatch.setattr(modules["torch.optim.optimizer"], "_get_fused_kernels_supported_devices", lambda: fused)
    monkeypatch.setattr(_foreach_utils, "_get_foreach_kernels_supported_devices", lambda: foreach)
    for name in ("torch.optim.adam", "torch.optim.rmsprop"):
        monkeypatch.setattr(modules[name], "_get_capturable_supported_devices", lambda supports_xla=True: ["meta"])
    monkeypatch.setattr("aeviz.training.steps.optimizers.can_capture", lambda device: device.type == "meta")
    with torch.library._scoped_library("aten", "IMPL") as library:
        for name, kernel in IN_PLACE.items():
            library.impl(name, kernel, "Meta")
        yield


@pytest.fixture(scope="module")
def feed():
    return Feed(data.load("digits"), "train", "meta", resident=True)


def stepper_of(model, loss="mse", **settings):
    config = fitted_to({"latent_dim": 4, **model}, (1, 8, 8), classes=10)
    return Stepper(build(config, loss).to("meta").train(), TrainingConfig(**settings))


def learn(feed, stepper, augment=None, steps=2):
    """Steps as the loop takes them, each at another point of an epoch."""
    log = MetricsLog.__new__(MetricsLog)
    log.sums, log.position = {}, Position()
    order = torch.zeros(8 * steps, dtype=torch.int64, device="meta").split(8)
    with NothingIsBrought(), NothingIsMadeOfNumbers():
        for step, batch in enumerate(feed.batches(list(order))):
            x = batch.x if augment is None else augment(batch.x)
            terms = stepper.step(dataclasses.replace(batch, x=x, target=x), step / steps)
            log.add(terms, len(x))
    return log.sums


@pytest.mark.parametrize("body", BODY)
@pytest.mark.parametrize("name", VARIANTS)
def test_a_step_of_any_variant_and_body_waits_for_nothing(name, body, feed):
    sums = learn(feed, stepper_of({"variant": name, "body": BODY[body], "standardise": True}), steps=1)
    assert sums["total"].device.type == "meta"


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_no_optimizer_waits_with_all_that_a_training_can_be_told(optimizer, feed):
    everything = {"clip": 1.0, "ema": 0.9, "l1": 1e-4, "l2": 1e-4, "schedule": "cosine", "warmup": 0.5}
    learn(
        feed, stepper_of({"variant": "vae", "body": BODY["conv"], "annealing": 2.0}, optimizer=optimizer, **everything)
    )


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_schedule_waits(schedule, feed):
    learn(feed, stepper_of({}, schedule=schedule))


@pytest.mark.parametrize("loss", LOSSES)
def test_no_loss_waits(loss, feed):
    learn(feed, stepper_of({"body": BODY["conv"]}, loss))


@pytest.mark.parametrize("kind", NOISES)
def test_no_noise_waits(kind, feed):
    learn(feed, stepper_of({"variant": "denoising", "kind": kind, "body": BODY["conv"]}))


def test_no_variation_of_the_images_waits(feed):
    learn(feed, stepper_of({}), Augment(AugmentConfig(**VARIED), (1, 8, 8)))


def test_a_sparse_code_held_to_a_target_and_tied_weights_wait_for_nothing(feed):
    learn(feed, stepper_of({"variant": "sparse", "penalty": "kl", "tied": True, "body": BODY["conv"]}))


@pytest.mark.parametrize("name", VARIANTS)
def test_live_settings_are_turned_without_waiting(name, feed):
    stepper = stepper_of({"variant": name}, ema=0.9)
    learn(feed, stepper, steps=1)
    with NothingIsBrought(), NothingIsMadeOfNumbers():
        stepper.set_config(TrainingConfig(ema=0.9, learning_rate=1e-4, l1=1e-3, l2=1e-3))
        for model in (stepper.model, stepper.eval_model):
            for name in model.config.live_fields():
                model.set_live(name, 0.5)
    learn(feed, stepper)


def test_a_step_of_t_sne_waits_for_nothing(monkeypatch):
    monkeypatch.setattr(
        "aeviz.latent.projections.tsne.optimiser._repulsion", lambda points: GridRepulsion(lambda sides: [30.0, 20.0])
    )
    attraction = Attraction.__new__(Attraction)
    attraction.p, attraction._apart, attraction._squared = (torch.empty(60, device="meta") for _ in range(3))
    attraction.rows, attraction.others = (torch.empty(60, dtype=torch.int64, device="meta") for _ in range(2))
    attraction.offsets = torch.empty(11, dtype=torch.int64, device="meta")
    descent = Descent(attraction, torch.empty(10, 2, device="meta"))
    with NothingIsBrought(), NothingIsMadeOfNumbers():
        for _ in range(2):
            descent.step(12.0, 0.5)
    assert descent.points.shape == (10, 2)


@pytest.mark.parametrize(
    "ask", [lambda x: x.sum().item(), lambda x: float(x.sum()), lambda x: bool(x.any()), Tensor.cpu]
)
def test_the_device_of_these_tests_fails_whoever_waits(ask):
    with pytest.raises((RuntimeError, NotImplementedError)):
        ask(torch.ones(3, device="meta"))


def test_numbers_brought_to_the_device_are_noticed():
    x = torch.ones(3, device="meta")
    with NothingIsMadeOfNumbers(), pytest.raises(Waited):
        torch.tensor([1.0, 2.0], device="meta")
    with NothingIsBrought(), pytest.raises(Waited):
        x.copy_(torch.ones(3))

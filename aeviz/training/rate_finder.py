"""Learning-rate finder: a short sweep over learning rates on a throwaway network."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from aeviz.data import Dataset
from aeviz.errors import BadValue
from aeviz.models import Autoencoder, Batch, build
from aeviz.models import costs as costs
from aeviz.training.batches.augment import Augment, is_on
from aeviz.training.batches.feed import Feed
from aeviz.training.start import Recipe, check_images, fitted_model
from aeviz.training.steps.stepper import Stepper

STEPS = 100
FIRST_RATE, LAST_RATE = 1e-6, 10.0
BLOW_UP = 4.0  # the sweep ends once the loss is this many times its minimum (as in fastai)
MEMORY = 0.8  # decay of the running mean that detects a blow-up: a few steps
SPREAD = 2.0  # steps: sigma of the Gaussian that smooths the curve, a third of a decade either side
# At its minimum the loss no longer falls, so the suggestion stays this factor below. fastai's other rule, a tenth,
# proved too small for SGD and RMSprop.
BELOW_LEAST = 3.0

OnStep = Callable[[int, int], object]


@dataclass(frozen=True)
class Sweep:
    """Learning rates (S,), the smoothed loss at each (S,), and the suggested rate."""

    rates: np.ndarray
    losses: np.ndarray
    suggestion: float


def find_rate(recipe: Recipe, dataset: Dataset, device: str, on_step: OnStep | None = None) -> Sweep:
    """Raise the rate from 1e-6 to 10 over 100 steps and find where the loss falls (Smith, WACV 2017, 1506.01186).

    The suggestion is the rate at which the smoothed loss falls most steeply over the log of the rate, capped at a
    third of the rate with the minimum loss. The network is thrown away; the same seed gives the same sweep, and
    the global generators are left alone. `on_step(done, total)` may raise to cancel.

    Raises:
        BadValue: fewer than 2 images, or a loss that is not finite from the start.
        OverBudget: the network does not fit into memory.
    """
    check_images(dataset)
    config = fitted_model(recipe, dataset.shape)
    costs.check(costs.cost(config, recipe.training.batch_size, recipe.training.optimizer), device)
    with torch.random.fork_rng(devices=[torch.device(device)] if device.startswith("cuda") else []):
        torch.manual_seed(recipe.seed)
        feed, model = Feed(dataset, "train", device), build(config, recipe.training.loss)
        if config.standardise:
            model.set_statistics(*feed.statistics())
        rates, losses = _sweep(model.to(device).train(), feed, recipe, on_step)
    if len(losses) < 2:
        raise BadValue("the loss is {loss} at the smallest rate already; check images and network", loss=losses)
    smooth = _smoothed(losses)
    return Sweep(rates, smooth, _suggestion(rates, smooth))


def _sweep(model: Autoencoder, feed: Feed, recipe: Recipe, on_step: OnStep | None) -> tuple[np.ndarray, np.ndarray]:
    """Train through the rates until the loss blows up; return rates (S,) and the loss (S,) before each step."""
    rates = np.geomspace(FIRST_RATE, LAST_RATE, STEPS)
    plain = recipe.training.model_copy(update={"schedule": "constant", "warmup": 0.0, "ema": 0.0})
    stepper = Stepper(model, plain)
    losses: list[float] = []
    least = running = math.inf
    for number, (rate, batch) in enumerate(zip(rates, _batches(feed, recipe), strict=False)):
        stepper.set_config(plain.model_copy(update={"learning_rate": float(rate)}))
        terms = stepper.step(batch, epoch=number * len(batch.x) / len(feed))
        loss = float(terms["total"])
        running = loss if math.isinf(running) else MEMORY * running + (1 - MEMORY) * loss
        least = min(least, running)
        if not math.isfinite(loss) or running > BLOW_UP * least:
            break
        losses.append(loss)
        if on_step:
            on_step(len(losses), STEPS)
    return rates[: len(losses)], np.array(losses)


def _batches(feed: Feed, recipe: Recipe) -> Iterator[Batch]:
    """Endless full batches of shuffled images, augmented as in training."""
    size = min(recipe.training.batch_size, len(feed))
    vary = Augment(recipe.training.augment, feed.shape) if is_on(recipe.training.augment) else None
    generator = torch.Generator().manual_seed(recipe.seed)
    for _ in itertools.count():
        order = torch.randperm(len(feed), generator=generator)
        for positions in order[: len(feed) // size * size].split(size):
            batch = feed.batch(positions.to(feed.device))
            x = batch.x if vary is None else vary(batch.x, batch.part)
            yield Batch(x, x, batch.labels)


def _smoothed(losses: np.ndarray) -> np.ndarray:
    """The losses (S,) smoothed by a Gaussian, which unlike a running mean does not lag."""
    from scipy.ndimage import gaussian_filter1d

    smooth: np.ndarray = gaussian_filter1d(losses, SPREAD, mode="nearest")
    return smooth


def _suggestion(rates: np.ndarray, losses: np.ndarray) -> float:
    """The rate of steepest descent before the minimum loss, capped at a third of the rate there."""
    least = max(int(losses.argmin()), 1)
    slopes = np.gradient(losses, np.log10(rates))[: least + 1]
    rate = min(rates[slopes.argmin()], rates[least] / BELOW_LEAST)
    return float(f"{max(rate, FIRST_RATE):.2g}")

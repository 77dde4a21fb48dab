"""Change the network of a running training, keeping what it has learned."""

from typing import Any

import torch
from torch import nn

from aeviz.errors import BadValue
from aeviz.models import ModelConfig, build, fitted_to
from aeviz.models.base import mode
from aeviz.models.meta import shapes_only
from aeviz.models.surgery.transfer import transfer
from aeviz.runs import RunConfig
from aeviz.training.live.trainer import LiveTrainer
from aeviz.training.steps.stepper import Stepper

PROBES = 2000  # images whose codes show which parts of the old network matter


def fitted(config: RunConfig, model: Any) -> ModelConfig:
    """Parse model settings (without the sample shape) for the images of a run.

    Raises:
        BadValue: a setting is not allowed.
    """
    if not isinstance(model, dict):
        raise BadValue("model = {model!r} is not a model's settings; give an object of settings", model=model)
    return fitted_to(model, config.data.shape, len(config.data.classes))


def rebuild(trainer: LiveTrainer, config: ModelConfig) -> str:
    """Replace the network by one with other settings; return a sentence saying what was kept."""
    before = trainer.stepper
    batch = trainer.validation.batch(torch.arange(min(PROBES, len(trainer.validation)), device=trainer.device))
    before.model.eval()
    with torch.no_grad():
        codes = mode(before.model.encode(batch.x))
    statistics = trainer.feed.statistics() if config.standardise else None
    model, kept = transfer(before.model, config, codes=codes, probe=batch.x, statistics=statistics)
    stepper = Stepper(model.to(trainer.device).train(), trainer.training, trainer.config.resolved, trainer.world)
    stepper.inherit(before)
    if stepper.averaged is not None and before.averaged is not None:
        averaged, _ = transfer(before.averaged.model, config, codes=codes, probe=batch.x, statistics=statistics)
        stepper.averaged.model = averaged.to(trainer.device).requires_grad_(False)
    trainer.set_stepper(stepper)
    trainer.position.best = None
    trainer.metrics_log.clear()
    return str(kept["said"])


def set_dropout(trainer: LiveTrainer, config: ModelConfig) -> bool:
    """Set each layer's dropout rate; False if the number of dropout layers would change."""
    with shapes_only():
        wanted = _dropouts(build(config, trainer.training.loss))
    for model in {trainer.model, trainer.stepper.eval_model}:
        present = _dropouts(model)
        if len(present) != len(wanted):
            return False
        for module, other in zip(present, wanted, strict=True):
            module.p = other.p
        model.config = config
    return True


def _dropouts(model: nn.Module) -> list[Any]:
    return [module for module in model.modules() if isinstance(module, nn.Dropout | nn.Dropout2d)]

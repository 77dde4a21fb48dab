"""Optimizers by name; on CUDA they can be captured in a graph, with the learning rate as a device tensor."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn, optim

from aeviz.models.eager_optimizers import eager
from aeviz.runs import TrainingConfig

Make = Callable[[Iterable[nn.Parameter], TrainingConfig], optim.Optimizer]


def make_optimizer(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """The configured optimizer for these parameters; where steps can be captured, `lr` is a tensor."""
    known = list(parameters)
    optimizer = OPTIMIZERS[config.optimizer](known, config)
    if can_capture(known[0].device):
        for group in optimizer.param_groups:  # after construction, which would compare a tensor with zero
            group["lr"] = torch.full((), config.learning_rate, device=known[0].device)
    return optimizer


def can_capture(device: torch.device) -> bool:
    """Whether steps on this device can be captured in a graph."""
    return device.type == "cuda"


def _shared(parameters: list[nn.Parameter], config: TrainingConfig) -> dict[str, Any]:
    return {"params": parameters, "lr": config.learning_rate, "weight_decay": config.l2}


def _capturable(parameters: list[nn.Parameter]) -> bool:
    return can_capture(parameters[0].device)


def sgd(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Plain stochastic gradient descent (Robbins & Monro 1951)."""
    return eager(optim.SGD)(**_shared(list(parameters), config), fused=True)


def momentum(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Gradient descent with momentum (Polyak 1964)."""
    return eager(optim.SGD)(**_shared(list(parameters), config), fused=True, momentum=config.momentum)


def nesterov(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Nesterov momentum (Sutskever et al., ICML 2013); plain SGD if momentum is 0."""
    shared = _shared(list(parameters), config)
    return eager(optim.SGD)(**shared, fused=True, momentum=config.momentum, nesterov=config.momentum > 0)


def rmsprop(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """RMSprop (Hinton, Neural Networks for Machine Learning, lecture 6e, 2012)."""
    known = list(parameters)
    return eager(optim.RMSprop)(**_shared(known, config), foreach=True, capturable=_capturable(known))


def adam(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Adam (Kingma & Ba, ICLR 2015); fused, which takes a third of the time of the loop over tensors."""
    known = list(parameters)
    return eager(optim.Adam)(**_shared(known, config), fused=True, capturable=_capturable(known))


def adamw(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov & Hutter, ICLR 2019)."""
    known = list(parameters)
    return eager(optim.AdamW)(**_shared(known, config), fused=True, capturable=_capturable(known))


OPTIMIZERS: dict[str, Make] = {
    "sgd": sgd, "momentum": momentum, "nesterov": nesterov, "rmsprop": rmsprop, "adam": adam, "adamw": adamw,
}  # fmt: skip

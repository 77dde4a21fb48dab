"""Optimizers by name."""

from collections.abc import Callable, Iterable
from typing import Any

from torch import nn, optim

from aeviz.runs import TrainingConfig

Make = Callable[[Iterable[nn.Parameter], TrainingConfig], optim.Optimizer]


def _sgd(parameters: Iterable[nn.Parameter], config: TrainingConfig, **more: Any) -> optim.Optimizer:
    return optim.SGD(parameters, lr=config.learning_rate, weight_decay=config.l2, fused=True, **more)


def sgd(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Plain stochastic gradient descent (Robbins & Monro 1951)."""
    return _sgd(parameters, config)


def momentum(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Gradient descent with momentum (Polyak 1964)."""
    return _sgd(parameters, config, momentum=config.momentum)


def nesterov(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Momentum that looks ahead (Sutskever et al., ICML 2013); needs some momentum."""
    return _sgd(parameters, config, momentum=config.momentum, nesterov=config.momentum > 0)


def rmsprop(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Steps divided by a running root mean square of gradients (Hinton, lecture 6e, 2012)."""
    return optim.RMSprop(parameters, lr=config.learning_rate, weight_decay=config.l2, foreach=True)


def adam(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Adam (Kingma & Ba, ICLR 2015); fused: a third of the time of the loop over tensors."""
    return optim.Adam(parameters, lr=config.learning_rate, weight_decay=config.l2, fused=True)


def adamw(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Adam with decoupled weight decay (Loshchilov & Hutter, ICLR 2019)."""
    return optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.l2, fused=True)


OPTIMIZERS: dict[str, Make] = {
    "sgd": sgd, "momentum": momentum, "nesterov": nesterov, "rmsprop": rmsprop, "adam": adam, "adamw": adamw,
}  # fmt: skip

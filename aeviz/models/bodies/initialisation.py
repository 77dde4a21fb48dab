"""Weight initialisation."""

import math

from torch import nn

WEIGHED = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


def initialise(network: nn.Module, how: str) -> None:
    """Initialise all weights by the method `how` and set biases to zero; `torch` keeps torch's defaults.

    xavier: uniform, balancing forward and backward variance (Glorot & Bengio, AISTATS 2010). he: for ReLUs
    (He et al., ICCV 2015, https://arxiv.org/abs/1502.01852). normal: N(0, 1/sqrt(n)) of n inputs (LeCun et al. 1998).
    """
    if how == "torch":
        return
    for module in network.modules():
        if isinstance(module, WEIGHED):
            _draw(module, how)


def _draw(module: nn.Linear | nn.Conv2d | nn.ConvTranspose2d, how: str) -> None:
    fan_in, fan_out = _fans(module)
    if how == "xavier":
        reach = math.sqrt(6.0 / (fan_in + fan_out))
        nn.init.uniform_(module.weight, -reach, reach)
    else:
        nn.init.normal_(module.weight, std=math.sqrt((2.0 if how == "he" else 1.0) / fan_in))
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def _fans(module: nn.Linear | nn.Conv2d | nn.ConvTranspose2d) -> tuple[float, float]:
    """Fan-in and fan-out of a layer."""
    first, second = (count * math.prod(module.weight.shape[2:]) for count in module.weight.shape[:2])
    if isinstance(module, nn.ConvTranspose2d):
        return first / math.prod(module.stride), second  # its inputs are a stride apart
    return second, first

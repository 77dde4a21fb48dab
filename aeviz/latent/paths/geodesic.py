"""The shortest way by the decoder's own metric: the curve of codes whose decoded pictures change least in all."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aeviz.latent.encode import device_of, evaluating
from aeviz.models.eager_optimizers import eager

NODES = 33  # codes the curve is looked at
WAVES = 8  # sines that bend it
ITERATIONS = 40  # of L-BFGS, about one and a quarter looks at the whole curve each


@dataclass(frozen=True)
class Metric:
    """Lengths of curves of codes: how much the decoded image changes, times 1 + d² at distance d from the data.

    The metric that the decoder pulls back from pixels (Shao et al., CVPR workshops 2018, 1711.08014) alone leads
    through empty space, where decoders fade one picture into the other. It must grow away from the data: by the
    decoder's variance in Arvanitidis et al. (ICLR 2018, https://arxiv.org/abs/1710.11379); ours have none, so by d,
    the distance to the nearest of the known codes (N, D), in units.
    """

    model: Any
    known: Tensor
    unit: float

    @classmethod
    def of(cls, model: Any, known: np.ndarray, unit: float) -> "Metric":
        """The metric on the model's own device."""
        return cls(model, torch.from_numpy(np.array(known, dtype=np.float32)).to(device_of(model)), unit)

    def energy(self, curve: np.ndarray) -> float:
        """The energy of a curve of codes (T, D) at equal times: its mean squared speed.

        For a conditional model the shares of the classes stand behind the codes, (T, D + K + 1).
        """
        with evaluating(self.model), torch.no_grad():
            return float(self.energy_of(torch.from_numpy(np.asarray(curve, dtype=np.float32)).to(self.known.device)))

    def energy_of(self, curve: Tensor) -> Tensor:
        """The same as a tensor that gradients flow through."""
        dims = self.known.shape[1]
        z, condition = curve[:, :dims], curve[:, dims:]
        images = self.model.decode(z, *([condition] if condition.shape[1] else [])).flatten(1)  # (T, D) -> (T, F)
        weight = 1 + (torch.cdist(z, self.known).amin(1) / self.unit).square()  # (T,)
        changes = images.diff(dim=0).square().sum(1)  # (T - 1,)
        return ((weight[1:] + weight[:-1]) / 2 * changes).sum() * len(changes)


def geodesic(metric: Metric, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Codes (T, D) from a (D,) to b (D,) at equal times: a curve of no more energy than the straight line.

    The curve is the line plus sines, which leave its ends in place; their weights are found by L-BFGS from the line on.
    Shares of classes behind the codes stay on the line.
    """
    dims = metric.known.shape[1]
    ends = torch.from_numpy(np.stack([a, b]).astype(np.float32)).to(metric.known.device)
    t = torch.linspace(0.0, 1.0, NODES, device=ends.device)[:, None]
    line = (1 - t) * ends[0] + t * ends[1]  # (T, D) or (T, D + K + 1)
    waves = torch.arange(1, WAVES + 1, device=ends.device) * torch.pi
    sines = (ends[1] - ends[0])[:dims].norm() * (waves * t).sin() / waves  # (T, W), each of the same energy in codes

    def bent(weights: Tensor) -> Tensor:
        return torch.cat([line[:, :dims] + sines @ weights, line[:, dims:]], dim=1)

    with evaluating(metric.model):
        weights = _minimised(lambda weights: metric.energy_of(bent(weights)), (WAVES, dims), ends.device)
    return bent(weights).cpu().numpy()


def _minimised(energy_of: Callable[[Tensor], Tensor], shape: tuple[int, int], device: torch.device) -> Tensor:
    """The weights (W, D) of least energy that were met; the first are zeros."""
    weights = torch.zeros(shape, device=device, requires_grad=True)
    optimizer = eager(torch.optim.LBFGS)([weights], max_iter=ITERATIONS, line_search_fn="strong_wolfe")
    least, best = float("inf"), weights.detach().clone()

    def closure() -> Tensor:
        nonlocal least, best
        value = energy_of(weights)
        (weights.grad,) = torch.autograd.grad(value, [weights])  # the model is shared: its gradients stay untouched
        if value.item() < least:
            least, best = value.item(), weights.detach().clone()
        return value

    optimizer.step(closure)
    return best

"""Geodesics under the decoder's pullback metric: curves along which the decoded image changes least in total."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aeviz.latent.encode import device_of, evaluating
from aeviz.models.eager_optimizers import eager

NODES = 33  # points that discretise the curve
WAVES = 8  # sine terms of the curve
ITERATIONS = 40  # of L-BFGS, about 1.25 evaluations of the curve each


@dataclass(frozen=True)
class Metric:
    """Pullback metric of the decoder, weighted by 1 + d² at distance d from the data.

    The plain pullback metric (Shao et al., CVPR workshops 2018, https://arxiv.org/abs/1711.08014) leads through empty
    space, where decoders fade one image into the other, so it must grow away from the data. Arvanitidis et al. (ICLR
    2018, https://arxiv.org/abs/1710.11379) use the decoder's variance; our decoders have none, so we use d, the
    distance to the nearest of the known codes (N, D), in multiples of `unit`.
    """

    model: Any
    known: Tensor
    unit: float

    @classmethod
    def of(cls, model: Any, known: np.ndarray, unit: float) -> "Metric":
        """The metric on the model's device."""
        return cls(model, torch.from_numpy(np.array(known, dtype=np.float32)).to(device_of(model)), unit)

    def energy(self, curve: np.ndarray) -> float:
        """Energy (mean squared speed) of a curve of codes (T, D) at equal time steps.

        For a conditional model, class shares follow the codes: (T, D + K + 1).
        """
        with evaluating(self.model), torch.no_grad():
            return float(self.energy_of(torch.from_numpy(np.asarray(curve, dtype=np.float32)).to(self.known.device)))

    def energy_of(self, curve: Tensor) -> Tensor:
        """Like `energy`, as a differentiable tensor."""
        dims = self.known.shape[1]
        z, condition = curve[:, :dims], curve[:, dims:]
        images = self.model.decode(z, *([condition] if condition.shape[1] else [])).flatten(1)  # (T, D) -> (T, F)
        weight = 1 + (torch.cdist(z, self.known).amin(1) / self.unit).square()  # (T,)
        changes = images.diff(dim=0).square().sum(1)  # (T - 1,)
        return ((weight[1:] + weight[:-1]) / 2 * changes).sum() * len(changes)


def geodesic(metric: Metric, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Codes (T, D) at equal time steps on a curve from a (D,) to b (D,), with no more energy than the straight line.

    The curve is the line plus sines that vanish at both ends; L-BFGS fits their weights, starting from the line.
    Class shares after the codes stay on the line.
    """
    dims = metric.known.shape[1]
    ends = torch.from_numpy(np.stack([a, b]).astype(np.float32)).to(metric.known.device)
    t = torch.linspace(0.0, 1.0, NODES, device=ends.device)[:, None]
    line = (1 - t) * ends[0] + t * ends[1]  # (T, D) or (T, D + K + 1)
    waves = torch.arange(1, WAVES + 1, device=ends.device) * torch.pi
    sines = (ends[1] - ends[0])[:dims].norm() * (waves * t).sin() / waves  # (T, W), all of equal energy in code space

    def bent(weights: Tensor) -> Tensor:
        return torch.cat([line[:, :dims] + sines @ weights, line[:, dims:]], dim=1)

    with evaluating(metric.model):
        weights = _minimised(lambda weights: metric.energy_of(bent(weights)), (WAVES, dims), ends.device)
    return bent(weights).cpu().numpy()


def _minimised(energy_of: Callable[[Tensor], Tensor], shape: tuple[int, int], device: torch.device) -> Tensor:
    """The lowest-energy weights (W, D) encountered; the first are zeros."""
    weights = torch.zeros(shape, device=device, requires_grad=True)
    optimizer = eager(torch.optim.LBFGS)([weights], max_iter=ITERATIONS, line_search_fn="strong_wolfe")
    least, best = float("inf"), weights.detach().clone()

    def closure() -> Tensor:
        nonlocal least, best
        value = energy_of(weights)
        (weights.grad,) = torch.autograd.grad(value, [weights])  # the model is shared: leave its gradients alone
        if value.item() < least:
            least, best = value.item(), weights.detach().clone()
        return value

    optimizer.step(closure)
    return best

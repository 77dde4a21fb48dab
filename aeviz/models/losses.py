"""Reconstruction losses on logits: summed over an image's values, averaged over the batch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from aeviz.models.ssim import smooth

HUBER_DELTA = 0.1
SSIM_SHARE = 0.84  # against L1 (Zhao et al. 2017)
SSIM_SIGMA, SSIM_SIDE = 1.5, 16  # the usual 11 x 11 window, and the smallest side that uses it in full
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2


@dataclass(frozen=True)
class Loss:
    """A registered reconstruction loss: `of(logits (B, ...), target (B, ...)) -> scalar`.

    `mean` maps logits to the mean image in [0, 1]. With `by_level`, logits are (B, L, ...) for L grey levels.
    """

    name: str
    label: str
    unit: str
    summary: str
    of: Callable[[Tensor, Tensor], Tensor]
    mean: Callable[[Tensor], Tensor] = torch.sigmoid
    by_level: bool = False
    images_only: bool = False


class _SquaredError(torch.autograd.Function):
    """Squared error and its gradient, fused into one pass over the pixels.

    With separate sigmoid, difference, square and sum, a dense net's steps took up to 1.07 times as long on two cores.
    The gradient with respect to the logits is 2 (x_hat - target) x_hat (1 - x_hat) / B.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, target: Tensor) -> Tensor:
        x_hat = torch.sigmoid(logits)
        off = (x_hat - target).flatten()
        loss = torch.dot(off, off) / len(logits)
        if ctx.needs_input_grad[0]:
            slope = off.mul_(2.0 / len(logits)).view_as(x_hat)
            ctx.save_for_backward(torch.ops.aten.sigmoid_backward(slope, x_hat))
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return slope * gradient, None


def squared_error(logits: Tensor, target: Tensor) -> Tensor:
    """Squared error: up to a constant, the negative log-likelihood (nats) of a Gaussian with variance 1/2."""
    loss: Tensor = _SquaredError.apply(logits, target)
    return loss


def bernoulli(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy in nats, with pixels as probabilities (Kingma & Welling 2014, appendix C.1)."""
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").flatten(1).sum(1).mean()


def categorical(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy in nats of logits (B, L, ...) over L grey levels; the target is rounded to a level.

    As in PixelRNN's softmax over pixel values (van den Oord et al., ICML 2016, https://arxiv.org/abs/1601.06759).
    """
    level = (target * (logits.shape[1] - 1)).round().long()
    return F.cross_entropy(logits, level, reduction="none").flatten(1).sum(1).mean()


def mean_level(logits: Tensor) -> Tensor:
    """Expected brightness (B, ...) in [0, 1] for logits (B, L, ...) over L grey levels."""
    levels = torch.linspace(0.0, 1.0, logits.shape[1], device=logits.device)
    return torch.tensordot(logits.softmax(1), levels, dims=([1], [0])).clamp(0.0, 1.0)  # (B, L, ...) -> (B, ...)


def absolute_error(logits: Tensor, target: Tensor) -> Tensor:
    """Absolute error: up to a constant, the negative log-likelihood (nats) of a Laplace distribution of scale 1."""
    return (torch.sigmoid(logits) - target).abs().flatten(1).sum(1).mean()


def huber(logits: Tensor, target: Tensor) -> Tensor:
    """Huber loss with delta 0.1: quadratic up to a difference of 0.1, linear beyond (Huber 1964)."""
    values = F.huber_loss(torch.sigmoid(logits), target, reduction="none", delta=HUBER_DELTA)
    return values.flatten(1).sum(1).mean()


def ssim_mix(logits: Tensor, target: Tensor) -> Tensor:
    """.84 (1 - SSIM) + .16 L1 (Zhao et al. 2017, https://arxiv.org/abs/1511.08861), with SSIM at one scale.

    Both are means over an image's values, times their number, so that the weight against a KL term is comparable.
    """
    x_hat = torch.sigmoid(logits)
    l1 = (x_hat - target).abs().flatten(1).mean(1)  # (B,)
    mixed = SSIM_SHARE * (1 - ssim(x_hat, target)) + (1 - SSIM_SHARE) * l1
    return target[0].numel() * mixed.mean()


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Structural similarity (B,) of images x, y (B, C, H, W) in [0, 1], differentiable.

    Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861: a Gaussian window of sigma 1.5 (11 x 11) at every
    pixel. The window shrinks with sides under 16 pixels, as in `scores.images.ssim`; the values agree.
    """
    side = min(x.shape[-2:])
    sigma = SSIM_SIGMA * min(SSIM_SIDE, side) / SSIM_SIDE
    radius = min(int(3.5 * sigma + 0.5), side - 1)
    x, y = x.float(), y.float()
    mu_x, mu_y, xx, yy, xy = smooth(torch.stack([x, y, x * x, y * y, x * y]), sigma, radius)
    brightness = (2 * mu_x * mu_y + SSIM_C1) / (mu_x.square() + mu_y.square() + SSIM_C1)
    variances = xx - mu_x.square() + yy - mu_y.square()  # unclamped like the covariance, so that SSIM(x, x) = 1
    structure = (2 * (xy - mu_x * mu_y) + SSIM_C2) / (variances + SSIM_C2)
    return (brightness * structure).flatten(1).mean(1)


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss(
            "mse",
            "Squared error",
            "squared error per image",
            "Squared difference of every pixel, summed over the image.",
            squared_error,
        ),
        Loss(
            "bernoulli",
            "Cross-entropy",
            "nats per image",
            "Binary cross-entropy: each pixel as the probability of white.",
            bernoulli,
        ),
        Loss(
            "categorical",
            "Cross-entropy over grey levels",
            "nats per image",
            "Predicts each pixel's grey level as a class; the decoder's last layer grows with the number of levels.",
            categorical,
            mean=mean_level,
            by_level=True,
        ),
        Loss(
            "l1",
            "Absolute error",
            "absolute error per image",
            "Absolute difference of every pixel: less sensitive to single large errors than the squared one.",
            absolute_error,
        ),
        Loss(
            "huber",
            "Huber",
            "Huber error per image",
            "Squared for differences up to .1, absolute beyond.",
            huber,
        ),
        Loss(
            "ssim",
            "SSIM and absolute error",
            "SSIM mix per image",
            "Similarity of edges and contrasts (.84) and absolute difference (.16): looks sharper. Images only.",
            ssim_mix,
            images_only=True,
        ),
    )
}

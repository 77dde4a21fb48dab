"""Image similarity: MSE, PSNR and SSIM per image, for pixels in [0, 1]."""

import math

import numpy as np
import torch
from torch import Tensor

from aeviz.models import losses

PIXELS_AT_ONCE = 2_000_000


def mse(x: np.ndarray | Tensor, x_hat: np.ndarray | Tensor) -> np.ndarray:
    """Mean squared error per pixel (N,) of images (N, C, H, W)."""
    difference = _tensor(x).double() - _tensor(x_hat).double()
    return difference.square().flatten(1).mean(1).numpy()


def psnr(mean_squared_error: float | None) -> float | None:
    """Peak signal-to-noise ratio in dB, 10 log10(1 / MSE); None if not finite (zero or missing error)."""
    if mean_squared_error is None or not math.isfinite(mean_squared_error) or mean_squared_error <= 0:
        return None
    return -10 * math.log10(mean_squared_error)


def ssim(x: np.ndarray | Tensor, x_hat: np.ndarray | Tensor) -> np.ndarray:
    """Structural similarity (N,) of images (N, C, H, W) (Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861).

    Gaussian window of sigma 1.5 (11 x 11), as in torchmetrics. If a side is under 16 pixels, the window shrinks with it
    (sigma = 1.5 side / 16; 7 x 7 at 8 pixels) in order to fit; compare values of such images only with each other.
    """
    x, x_hat = _tensor(x).float(), _tensor(x_hat).float()
    if len(x) == 0:
        return np.empty(0)
    chunk = max(1, PIXELS_AT_ONCE // x[0].numel())
    with torch.inference_mode():
        values = [losses.ssim(a, b) for a, b in zip(x.split(chunk), x_hat.split(chunk), strict=True)]
    return torch.cat(values).double().numpy()


def percentile(errors: np.ndarray, value: float) -> float | None:
    """Percentile (0 to 100) of a value among errors (N,), ties counted half; None without finite numbers."""
    errors = np.asarray(errors)[np.isfinite(errors)]
    if len(errors) == 0 or not math.isfinite(value):
        return None
    return float(100 * ((errors < value).mean() + (errors == value).mean() / 2))


def _tensor(x: np.ndarray | Tensor) -> Tensor:
    return x.detach().cpu() if isinstance(x, Tensor) else torch.from_numpy(np.asarray(x))

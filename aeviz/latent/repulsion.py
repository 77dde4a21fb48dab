"""What pushes every point of a t-SNE map from all others, by fast Fourier transforms on a grid."""

import math

import torch
from torch import Tensor

SPACING = {2: 0.4, 3: 0.75}  # of the grid, where the force's own scale is 1: errors of 0.7 and 4 % of the mean force
MOST_CELLS = {2: 2048, 3: 128}  # along a map's side; a wider map takes a coarser grid
TAPS = 4  # grid points along an axis that a cubic B-spline touches


class Repulsion:
    """Sums over all pairs of points, in a time that grows with their number and not with its square.

    The points are spread onto a grid with cubic B-splines, convolved with the kernels there, and read back with the
    same splines, whose blur is divided out of the kernels (particle mesh: Hockney & Eastwood, Computer Simulation
    Using Particles, 1988; for t-SNE, as interpolation: Linderman et al., Nature Methods 2019,
    https://doi.org/10.1038/s41592-018-0308-4). The kernels are kept as long as the grid keeps its size.
    """

    def __init__(self) -> None:
        self._shape: tuple[int, ...] = ()
        self._spacing = 0.0
        self._kernels: list[Tensor] = []

    def __call__(self, points: Tensor) -> tuple[Tensor, float]:
        """Forces (N, dims), the sums over j of (y_i - y_j) / (1 + d_ij²)², and the sum over all pairs of 1 / (1 + d²)."""
        dims = points.shape[1]
        low, high = points.amin(0), points.amax(0)
        self._fit_grid((high - low).tolist(), points)
        cells, weights = self._splines((points - (low + high) / 2) / self._spacing)
        grid = points.new_zeros(math.prod(self._shape)).index_add_(0, cells.flatten(), weights.flatten())
        charge = torch.fft.rfftn(grid.view(self._shape))
        sums = []
        for kernel in self._kernels:
            field = torch.fft.irfftn(charge * kernel, s=self._shape).flatten()
            sums.append((field.index_select(0, cells.flatten()).view_as(weights) * weights).sum(1))
        to_itself = len(points)
        return torch.stack(sums[:dims], dim=1), float(sums[dims].sum(dtype=torch.float64)) - to_itself

    def _splines(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Cells (N, 4^dims) that points touch, and how much; places (N, dims) are in cells from the map's middle."""
        # The map lies in the lower half of the grid along each axis.
        places = places + places.new_tensor([side / 4 for side in self._shape])
        first = places.floor()
        t = places - first  # (N, dims) in [0, 1)
        taps = torch.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], dim=2) / 6
        nodes = first.long()[:, :, None] + torch.arange(-1, TAPS - 1, device=places.device)  # (N, dims, 4)
        cells, weights = nodes[:, 0], taps[:, 0]
        for axis in range(1, len(self._shape)):
            cells = (cells[:, :, None] * self._shape[axis] + nodes[:, axis, None, :]).flatten(1)
            weights = (weights[:, :, None] * taps[:, axis, None, :]).flatten(1)
        return cells, weights

    def _fit_grid(self, sides: list[float], like: Tensor) -> None:
        """A grid at least twice as wide as the map, so that what wraps around meets nobody."""
        spacing = max(SPACING[len(sides)], max(sides) / MOST_CELLS[len(sides)])
        shape = tuple(fast_size(2 * (math.ceil(side / spacing) + TAPS + 1)) for side in sides)
        if (shape, spacing) == (self._shape, self._spacing):
            return
        self._shape, self._spacing = shape, spacing
        self._kernels = [kernel.to(like.dtype.to_complex()) for kernel in _kernels(shape, spacing, like.device)]


def _kernels(shape: tuple[int, ...], spacing: float, device: torch.device) -> list[Tensor]:
    """Fourier transforms of the force's kernel along each axis and of 1 / (1 + d²), sharpened against the splines."""
    exact = {"dtype": torch.float64, "device": device}
    offsets = [spacing * torch.fft.fftfreq(size, 1 / size, **exact) for size in shape]
    axes = torch.meshgrid(*offsets, indexing="ij")
    near = 1 / (1 + torch.stack([axis**2 for axis in axes]).sum(0))
    # A cubic B-spline's transform is sinc⁴; a point is spread with one and read with another.
    blurs = torch.meshgrid(*(torch.sinc(torch.fft.fftfreq(size, **exact)) ** 8 for size in shape), indexing="ij")
    blur = torch.stack(blurs).prod(0)[..., : shape[-1] // 2 + 1]
    return [torch.fft.rfftn(kernel) / blur for kernel in (*(axis * near**2 for axis in axes), near)]


def fast_size(least: int) -> int:
    """The least even size from `least` on that is a product of 2, 3 and 5, as fast Fourier transforms like it."""
    size = least + least % 2
    while not _is_smooth(size):
        size += 2
    return size


def _is_smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1

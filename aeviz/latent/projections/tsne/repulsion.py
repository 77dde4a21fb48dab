"""Repulsive forces of t-SNE in subquadratic time."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

SPACING = 0.4  # of the grid, relative to the kernel's length scale 1; errors are 0.7 % of the mean force
MAX_CELLS = 2048  # along a map's side; larger maps use a coarser grid
TAPS = 4  # grid points per axis under a cubic B-spline
THETA = 0.5  # Barnes-Hut opening angle


class GridRepulsion:
    """Repulsion on 2-D maps by FFT, on any device.

    Points are spread onto a grid with cubic B-splines, convolved with the kernels there, and interpolated back with the
    same splines, whose blur is divided out of the kernels (particle mesh: Hockney & Eastwood, Computer Simulation
    Using Particles, 1988; for t-SNE: Linderman et al., Nature Methods 2019,
    https://doi.org/10.1038/s41592-018-0308-4). Kernels are cached while the grid size stays the same. `extent` turns
    the sides (2,) of a map into the sides the grid must cover.
    """

    def __init__(self, extent: Callable[[Tensor], list[float]] = Tensor.tolist) -> None:
        self._extent = extent
        self._shape = (0, 0)
        self._spacing = 0.0
        self._kernels: list[Tensor] = []
        self._middle = torch.empty(0)  # grid position of the map's centre (2,)

    def __call__(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Forces (N, 2), Σ_j (y_i - y_j) / (1 + d_ij²)², and the sum of 1 / (1 + d²) over all pairs."""
        low, high = points.amin(0), points.amax(0)
        self._fit_grid(self._extent(high - low), points)
        cells, weights = self._splines((points - (low + high) / 2) / self._spacing)
        grid = points.new_zeros(math.prod(self._shape)).index_add_(0, cells.flatten(), weights.flatten())
        charge = torch.fft.rfft2(grid.view(self._shape))
        x, y, similar = (self._read(charge * kernel, cells, weights) for kernel in self._kernels)
        self_pairs = len(points)
        return torch.stack([x, y], dim=1), similar.sum(dtype=torch.float64) - self_pairs

    def _read(self, transformed: Tensor, cells: Tensor, weights: Tensor) -> Tensor:
        """Interpolate a field, given by its Fourier transform, at the points (N,)."""
        field = torch.fft.irfft2(transformed, s=self._shape).flatten()
        return (field.index_select(0, cells.flatten()).view_as(weights) * weights).sum(1)

    def _splines(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Cells (N, 16) under each point's spline, and weights; places (N, 2) are in cells from the map's centre."""
        places = places + self._middle
        first = places.floor()
        t = places - first  # (N, 2) in [0, 1)
        taps = torch.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], dim=2) / 6
        nodes = first.long()[:, :, None] + torch.arange(-1, TAPS - 1, device=places.device)  # (N, 2, 4)
        cells = nodes[:, 0, :, None] * self._shape[1] + nodes[:, 1, None, :]  # (N, 4, 4)
        return cells.flatten(1), (taps[:, 0, :, None] * taps[:, 1, None, :]).flatten(1)

    def _fit_grid(self, sides: list[float], points: Tensor) -> None:
        """Size the grid at least twice as wide as the map, so that wrap-around has no effect."""
        spacing = max(SPACING, max(sides) / MAX_CELLS)
        height, width = (fast_size(2 * (math.ceil(side / spacing) + TAPS + 1)) for side in sides)
        if ((height, width), spacing) != (self._shape, self._spacing):
            self._shape, self._spacing = (height, width), spacing
            self._kernels = [kernel.to(torch.complex64) for kernel in _kernels(self._shape, spacing, points.device)]
            # The map occupies the lower half of the grid along each axis.
            self._middle = torch.cat([points.new_full((1,), side / 4) for side in self._shape])


class TreeRepulsion:
    """Repulsion on 3-D maps, where an FFT grid would be too large: openTSNE's Barnes-Hut tree, on the CPU.

    Distant groups of points are treated as one (Barnes & Hut 1986; van der Maaten, JMLR 2014).
    """

    def __call__(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Forces (N, 3) and the sum over all pairs, as in `GridRepulsion`."""
        places = points.cpu().double().numpy()
        forces = torch.zeros(points.shape, dtype=torch.float64)
        normaliser = barnes_hut(places, forces.numpy())
        return (forces * -normaliser).to(points), torch.full((), normaliser, dtype=torch.float64, device=points.device)


def barnes_hut(places: np.ndarray, forces: np.ndarray) -> float:
    """Write -1 / normaliser times the forces on places (N, 3) to `forces` (N, 3), both float64; return the normaliser.

    `forces` must be zero.

    openTSNE has no public function for this: its own optimiser recomputes neighbours and cannot report each step. This
    is the only use of its private module; a test checks that the function still exists with this signature.
    """
    from openTSNE import _tsne
    from openTSNE.quad_tree import QuadTree

    threads, pairwise_normalisation = torch.get_num_threads(), True
    tree, dof = QuadTree(places), 1
    normaliser: float = _tsne.estimate_negative_gradient_bh(
        tree, places, forces, THETA, dof, threads, pairwise_normalisation
    )
    return normaliser


class LateExtent:
    """The extent of a map on a GPU without synchronising: its extent one step ago plus the largest possible growth."""

    def __init__(self, max_growth: float) -> None:
        self._max_growth = max_growth
        self._pending: tuple[Tensor, torch.cuda.Event] | None = None

    def __call__(self, sides: Tensor) -> list[float]:
        """An upper bound of the sides (2,)."""
        previous, arrived = self._pending, torch.cuda.Event()
        self._pending = sides.to("cpu", non_blocking=True), arrived
        arrived.record(torch.cuda.current_stream(sides.device))
        latest, event = previous or self._pending
        event.synchronize()
        return [side + (self._max_growth if previous else 0.0) for side in latest.tolist()]


def _kernels(shape: tuple[int, int], spacing: float, device: torch.device) -> list[Tensor]:
    """Fourier transforms of the force kernels along x and y and of 1 / (1 + d²), with the spline blur divided out."""
    rows, columns = (torch.fft.fftfreq(size, dtype=torch.float64, device=device) for size in shape)
    x, y = spacing * shape[0] * rows[:, None], spacing * shape[1] * columns[None, :]
    similar = 1 / (1 + x**2 + y**2)
    x[shape[0] // 2], y[:, shape[1] // 2] = 0, 0  # equally far left and right; no pair is this far apart
    # A cubic B-spline transforms to sinc⁴; points are spread with one and read with another.
    blur = (torch.sinc(rows)[:, None] * torch.sinc(columns)[None, : shape[1] // 2 + 1]) ** 8
    return [torch.fft.rfft2(kernel) / blur for kernel in (x * similar**2, y * similar**2, similar)]


def fast_size(least: int) -> int:
    """The smallest even size of at least `least` whose prime factors are 2, 3 and 5, for a fast FFT."""
    size = least + least % 2
    while not _is_smooth(size):
        size += 2
    return size


def _is_smooth(number: int) -> bool:
    for prime in (2, 3, 5):
        while number % prime == 0:
            number //= prime
    return number == 1

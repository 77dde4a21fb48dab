"""What pushes every point of a t-SNE map away from all others, in a time that does not grow with their square."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

SPACING = 0.4  # of the grid, where the force's own scale is 1: errors of 0.7 % of the mean force
MAX_CELLS = 2048  # along a map's side; a wider map takes a coarser grid
TAPS = 4  # grid points along an axis that a cubic B-spline touches
THETA = 0.5  # how near in angle a group of points must be to count as one


class GridRepulsion:
    """On flat maps: by fast Fourier transforms, on any device.

    Points are spread onto a grid with cubic B-splines, convolved with the kernels there, and read back with the
    same splines, whose blur is divided out of the kernels (particle mesh: Hockney & Eastwood, Computer Simulation
    Using Particles, 1988; for t-SNE, as interpolation: Linderman et al., Nature Methods 2019,
    https://doi.org/10.1038/s41592-018-0308-4). The kernels are kept as long as the grid keeps its size, which is found
    by `extent`: from the sides (2,) of a map to what the grid has to hold.
    """

    def __init__(self, extent: Callable[[Tensor], list[float]] = Tensor.tolist) -> None:
        self._extent = extent
        self._shape = (0, 0)
        self._spacing = 0.0
        self._kernels: list[Tensor] = []
        self._middle = torch.empty(0)  # where on the grid the middle of the map lies (2,)

    def __call__(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Forces (N, 2), the sums over j of (y_i - y_j) / (1 + d_ij²)², and the sum over all pairs of 1 / (1 + d²)."""
        low, high = points.amin(0), points.amax(0)
        self._fit_grid(self._extent(high - low), points)
        cells, weights = self._splines((points - (low + high) / 2) / self._spacing)
        grid = points.new_zeros(math.prod(self._shape)).index_add_(0, cells.flatten(), weights.flatten())
        charge = torch.fft.rfft2(grid.view(self._shape))
        x, y, near = (self._read(charge * kernel, cells, weights) for kernel in self._kernels)
        to_itself = len(points)
        return torch.stack([x, y], dim=1), near.sum(dtype=torch.float64) - to_itself

    def _read(self, transformed: Tensor, cells: Tensor, weights: Tensor) -> Tensor:
        """What a field, given by its Fourier transform, is at the points (N,)."""
        field = torch.fft.irfft2(transformed, s=self._shape).flatten()
        return (field.index_select(0, cells.flatten()).view_as(weights) * weights).sum(1)

    def _splines(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Cells (N, 16) that points touch, and how much; places (N, 2) are in cells from the map's middle."""
        places = places + self._middle
        first = places.floor()
        t = places - first  # (N, 2) in [0, 1)
        taps = torch.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], dim=2) / 6
        nodes = first.long()[:, :, None] + torch.arange(-1, TAPS - 1, device=places.device)  # (N, 2, 4)
        cells = nodes[:, 0, :, None] * self._shape[1] + nodes[:, 1, None, :]  # (N, 4, 4)
        return cells.flatten(1), (taps[:, 0, :, None] * taps[:, 1, None, :]).flatten(1)

    def _fit_grid(self, sides: list[float], points: Tensor) -> None:
        """A grid at least twice as wide as the map, so that what wraps around meets nobody."""
        spacing = max(SPACING, max(sides) / MAX_CELLS)
        height, width = (fast_size(2 * (math.ceil(side / spacing) + TAPS + 1)) for side in sides)
        if ((height, width), spacing) != (self._shape, self._spacing):
            self._shape, self._spacing = (height, width), spacing
            self._kernels = [kernel.to(torch.complex64) for kernel in _kernels(self._shape, spacing, points.device)]
            # The map lies in the lower half of the grid along each axis.
            self._middle = torch.cat([points.new_full((1,), side / 4) for side in self._shape])


class TreeRepulsion:
    """On maps of three dimensions, where a grid as fine would be too large: by openTSNE's tree, on the processor.

    Groups of points that are far for their size count as one (Barnes & Hut 1986; van der Maaten, JMLR 2014).
    """

    def __call__(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Forces (N, 3) and the sum over all pairs, as `GridRepulsion` gives them."""
        from openTSNE import _tsne
        from openTSNE.quad_tree import QuadTree

        places = points.cpu().double().numpy()
        forces = torch.zeros(points.shape, dtype=torch.float64)
        normaliser = _tsne.estimate_negative_gradient_bh(
            QuadTree(places), places, forces.numpy(), THETA, 1, torch.get_num_threads(), True
        )
        return (forces * -normaliser).to(points), torch.full((), normaliser, dtype=torch.float64, device=points.device)


class LateExtent:
    """How wide a map is, asked of a card without waiting: as it was a step ago, and what it can have grown since."""

    def __init__(self, most_growth: float) -> None:
        self._most_growth = most_growth
        self._coming: tuple[Tensor, torch.cuda.Event] | None = None

    def __call__(self, sides: Tensor) -> list[float]:
        """What to hold for a map of these sides (2,), at least as much as they are."""
        before, arrived = self._coming, torch.cuda.Event()
        self._coming = sides.to("cpu", non_blocking=True), arrived
        arrived.record(torch.cuda.current_stream(sides.device))
        there, event = before or self._coming
        event.synchronize()
        return [side + (self._most_growth if before else 0.0) for side in there.tolist()]


def _kernels(shape: tuple[int, int], spacing: float, device: torch.device) -> list[Tensor]:
    """Fourier transforms of the force's kernel along x and y and of 1 / (1 + d²), sharpened against the splines."""
    rows, columns = (torch.fft.fftfreq(size, dtype=torch.float64, device=device) for size in shape)
    x, y = spacing * shape[0] * rows[:, None], spacing * shape[1] * columns[None, :]
    near = 1 / (1 + x**2 + y**2)
    x[shape[0] // 2], y[:, shape[1] // 2] = 0, 0  # as far to the left as to the right; nobody is so far from another
    # A cubic B-spline's transform is sinc⁴; a point is spread with one and read with another.
    blur = (torch.sinc(rows)[:, None] * torch.sinc(columns)[None, : shape[1] // 2 + 1]) ** 8
    return [torch.fft.rfft2(kernel) / blur for kernel in (x * near**2, y * near**2, near)]


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

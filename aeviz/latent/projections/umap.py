"""UMAP: like t-SNE, faster and with more global structure; needs an optional package."""

import warnings

import numpy as np
from pydantic import Field

from aeviz.errors import BadValue
from aeviz.latent.neighbours import nearest, own_nearest
from aeviz.latent.projections.base import OnStep, Step, checked_codes, ignore_step
from aeviz.latent.projections.neighbour_map import NeighbourMap, NeighbourSettings
from aeviz.latent.projections.tsne.attraction import kernels, similarities
from aeviz.latent.projections.tsne.initialisation import Start, start_points
from aeviz.latent.projections.tsne.placement import place_by_descent

MIN_CODES = 5
START_SPREAD = 5.0  # umap-learn initialises within 10 of the centre


class UMAPSettings(NeighbourSettings):
    """Settings of the UMAP map."""

    neighbours: int = Field(15, ge=2, le=200, description="How many neighbours each point keeps close.")
    min_dist: float = Field(
        0.1, ge=0, le=0.99, description="Minimum distance between points; small values give dense clusters."
    )
    start: Start = Field(
        "pca", description="Initial positions; PCA preserves global structure, a random start does not."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of the optimisation.")


class UMAP(NeighbourMap):
    """Uniform manifold approximation and projection (McInnes et al. 2018, https://arxiv.org/abs/1802.03426).

    Uses umap-learn with exact neighbours. New codes are placed by `place_by_descent` rather than umap-learn's own
    `transform`, where a row's position depends on the other rows in the call.
    """

    name = "umap"
    label = "UMAP"
    summary = "Like t-SNE, with more global structure; needs an optional package."
    needs = ("umap-learn",)
    Settings = UMAPSettings
    settings: UMAPSettings

    def fit(self, codes: np.ndarray, on_step: OnStep = ignore_step, labels: np.ndarray | None = None) -> np.ndarray:
        """Embed codes (N, D) as points (N, 2 or 3), from exact neighbours."""
        self.check_installed()
        checked = checked_codes(codes)
        if len(checked) < MIN_CODES:
            raise BadValue(
                "UMAP needs at least {least} codes, here are {n}; use more images", least=MIN_CODES, n=len(checked)
            )
        self.codes = checked.astype(np.float32)
        settings = self.settings
        start = start_points(checked, settings.dims, settings.start, settings.seed, START_SPREAD)
        self.points = start.astype(np.float32)
        on_step(Step(0, 1, self.points))
        progress = _ProgressFile(on_step)
        self.points = self._embedded(self.points, progress)
        on_step(Step(progress.total, progress.total, self.points))
        return self.points

    def place_new(self, codes: np.ndarray) -> np.ndarray:
        """Points (M, 2 or 3) of codes (M, D) that are not on the map."""
        distances, rows = nearest(self.codes, codes, self._count(), self.settings.metric)
        similar = similarities(distances, kernels(distances, max(1.0, distances.shape[1] / 2)))
        points = self.points.astype(np.float64)
        return np.stack([place_by_descent(points, *each) for each in zip(rows, similar, strict=True)])

    def _count(self) -> int:
        """Number of neighbours per code, itself included."""
        return min(self.settings.neighbours, len(self.codes) - 1)

    def _embedded(self, start: np.ndarray, progress: "_ProgressFile") -> np.ndarray:
        """umap-learn's points (N, dims), from initial points (N, dims)."""
        from umap import UMAP as UMAPLearn

        count = self._count()
        distances, rows = own_nearest(self.codes, count - 1, self.settings.metric, lambda *_: progress.step(0))
        itself = np.arange(len(self.codes))[:, None]  # umap-learn counts a point as its own neighbour
        neighbours = np.hstack([itself, rows]), np.hstack([np.zeros(itself.shape), distances]).astype(np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about the missing index, which only its own transform needs
            fitted = UMAPLearn(
                n_components=self.settings.dims,
                n_neighbors=count,
                min_dist=self.settings.min_dist,
                metric=self.settings.metric,
                init=start,
                random_state=self.settings.seed,
                n_jobs=1,
                precomputed_knn=(*neighbours, None),
                tqdm_kwds={"disable": False, "file": progress, "bar_format": "{n}/{total}", "mininterval": 0.2},
            )
            return np.asarray(fitted.fit_transform(self.codes), dtype=np.float32)


class _ProgressFile:
    """File object for umap-learn's progress bar: reports every `done/total` as a step, which may stop the fit."""

    def __init__(self, on_step: OnStep) -> None:
        self.total = 1
        self._on_step = on_step

    def step(self, done: int) -> None:
        """Report `done` iterations."""
        self._on_step(Step(done, self.total))

    def write(self, text: str) -> None:
        """Parse `done/total` and report it."""
        done, of, total = text.strip().partition("/")
        if of:
            self.total = int(total)
            self.step(int(done))

    def flush(self) -> None:
        """Do nothing; writes are not buffered."""

"""t-SNE: a map that keeps who is whose neighbour, and lets distances between groups go."""

from typing import Any, Literal, Self

import numpy as np
from pydantic import Field

from aeviz import config
from aeviz.errors import BadValue
from aeviz.latent.neighbours import Metric, own_nearest, place_by_neighbours
from aeviz.latent.pca import PCA, PCASettings
from aeviz.latent.projection import OnStep, Projection, checked_codes

FEWEST_CODES = 5
FFT_FROM = 10_000  # points in 2-D from which openTSNE's interpolation overtakes Barnes-Hut
EARLY_ITERATIONS, EARLY_EXAGGERATION = 250, 12.0
STEPS_PER_REPORT = 10


class TSNESettings(config.Settings):
    """How t-SNE draws its map."""

    dims: Literal[2, 3] = Field(2, description="Dimensions of the map.")
    perplexity: float = Field(30.0, ge=2, le=200, description="About how many neighbours each point holds on to.")
    iterations: int = Field(750, ge=50, le=5000, description="Steps in all; the first third, at most 250, exaggerate.")
    metric: Metric = Field("euclidean", description="How distances between codes are measured.")
    exaggeration: float = Field(1.0, ge=1, le=12, description="Above 1, groups stay tighter and further apart.")
    seed: int = Field(0, ge=0, lt=2**31, description="Decides ties; the start is the PCA map.")


class TSNE(Projection):
    """t-distributed stochastic neighbour embedding (van der Maaten & Hinton, JMLR 2008), by openTSNE.

    Neighbours are exact, the start is PCA, and the learning rate is N / exaggeration (Belkina et al. 2019). New
    codes are placed among their nearest known ones, see `place_by_neighbours`.
    """

    name = "tsne"
    label = "t-SNE"
    slow = True
    Settings = TSNESettings
    settings: TSNESettings

    codes: np.ndarray  # (N, D) float32
    points: np.ndarray  # (N, dims) float32
    perplexity: float  # as used: at most a third of the neighbours there are
    kl_divergence: float

    def fit(self, codes: np.ndarray, on_step: OnStep | None = None) -> np.ndarray:
        checked = checked_codes(codes)
        self.perplexity = usable_perplexity(self.settings.perplexity, len(checked))
        report = on_step or (lambda done, total, points: None)
        report(0, self.settings.iterations, None)
        embedding = self._embedding(checked, report)
        early = min(EARLY_ITERATIONS, self.settings.iterations // 3)
        self._optimize(embedding, 0, early, EARLY_EXAGGERATION, 0.5, report)
        self._optimize(embedding, early, self.settings.iterations, self.settings.exaggeration, 0.8, report)
        self.codes = checked.astype(np.float32)
        self.points = np.array(embedding, dtype=np.float32)
        self.kl_divergence = float(embedding.kl_divergence)
        report(self.settings.iterations, self.settings.iterations, self.points)
        return self.points

    def place(self, codes: np.ndarray) -> np.ndarray:
        return place_by_neighbours(self.codes, self.points, np.asarray(codes, np.float32), self.settings.metric)

    def state(self) -> dict[str, np.ndarray]:
        fit = np.array([self.perplexity, self.kl_divergence])
        return {"codes": self.codes, "points": self.points, "fit": fit}

    @classmethod
    def from_state(cls, settings: Any, arrays: dict[str, np.ndarray]) -> Self:
        tsne = cls(settings)
        tsne.codes, tsne.points = arrays["codes"], arrays["points"]
        tsne.perplexity, tsne.kl_divergence = (float(value) for value in arrays["fit"])
        return tsne

    def notes(self) -> dict[str, Any]:
        return {"kl_divergence": self.kl_divergence, "perplexity": self.perplexity}

    def _embedding(self, codes: np.ndarray, report: OnStep) -> Any:
        """openTSNE's embedding at its start, with the affinities of exact neighbours."""
        from openTSNE import TSNEEmbedding
        from openTSNE.affinity import PerplexityBasedNN
        from openTSNE.nearest_neighbors import PrecomputedNeighbors

        count = max(1, min(len(codes) - 1, int(3 * self.perplexity)))

        def on_neighbours(done: int, total: int) -> None:
            report(0, self.settings.iterations, None)

        distances, neighbours = own_nearest(codes, count, self.settings.metric, on_neighbours)
        index = PrecomputedNeighbors(neighbours, distances)
        affinities = PerplexityBasedNN(perplexity=self.perplexity, knn_index=index, n_jobs=self.n_jobs)
        fast = self.settings.dims == 2 and len(codes) >= FFT_FROM
        return TSNEEmbedding(
            start_of(codes, self.settings.dims, self.settings.seed),
            affinities,
            negative_gradient_method="fft" if fast else "bh",
            n_jobs=self.n_jobs,
            random_state=self.settings.seed,
        )

    def _optimize(
        self, embedding: Any, begin: int, end: int, exaggeration: float, momentum: float, report: OnStep
    ) -> None:
        """Move the embedding from iteration `begin` to `end`, reporting every few; what the report raises gets out."""

        def on_iterations(iteration: int, error: float, points: np.ndarray) -> bool:
            report(begin + iteration, self.settings.iterations, np.array(points, dtype=np.float32))
            return False

        embedding.optimize(
            n_iter=end - begin,
            exaggeration=exaggeration,
            momentum=momentum,
            inplace=True,
            callbacks=[on_iterations],
            callbacks_every_iters=STEPS_PER_REPORT,
        )


def usable_perplexity(perplexity: float, n: int) -> float:
    """The perplexity to use for n codes: the one asked for, or the third of n - 1 that their neighbours allow.

    Raises:
        BadValue: fewer than 5 codes, or no more codes than the perplexity.
    """
    if n < FEWEST_CODES:
        raise BadValue("t-SNE needs at least {least} codes, here are {n}; take more images", least=FEWEST_CODES, n=n)
    if perplexity >= n:
        raise BadValue(
            "perplexity = {perplexity:g} is too large for {n} codes; use {right:.1f} or less, or take more images",
            perplexity=perplexity,
            n=n,
            right=(n - 1) / 3,
        )
    return min(perplexity, (n - 1) / 3)


def start_of(codes: np.ndarray, dims: int, seed: int) -> np.ndarray:
    """Starting points (N, dims): the PCA map at a spread of 1e-4, with a jitter that parts equal codes."""
    points = PCA(PCASettings(dims=dims)).fit(codes).astype(np.float64)
    spread = points[:, 0].std()
    jitter = np.random.default_rng(seed).normal(scale=1e-6 if spread > 0 else 1e-4, size=points.shape)
    return (points * (1e-4 / spread) if spread > 0 else points) + jitter

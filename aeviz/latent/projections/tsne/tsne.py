"""t-SNE: a map that preserves neighbourhoods rather than distances between groups."""

import time
from typing import Any, Self

import numpy as np
import torch
from pydantic import Field

from aeviz.errors import BadValue
from aeviz.latent.neighbours import nearest, own_nearest
from aeviz.latent.projections.base import OnStep, Step, checked_codes, ignore_step
from aeviz.latent.projections.neighbour_map import NeighbourMap, NeighbourSettings
from aeviz.latent.projections.tsne.attraction import Attraction, Kernels, kernels, similarities
from aeviz.latent.projections.tsne.initialisation import Start, start_points
from aeviz.latent.projections.tsne.optimiser import Descent
from aeviz.latent.projections.tsne.placement import joint_similarities, place_by_descent

MIN_CODES = 5
MAX_EARLY_ITERATIONS = 250
EARLY_MOMENTUM, MOMENTUM = 0.5, 0.8
START_SPREAD = 1e-4
REPORT_ITERATIONS, REPORT_SECONDS = 10, 0.2  # report a step when either has passed
# Converged: KL fell by less than this fraction over this many iterations.
CONVERGED_ITERATIONS, CONVERGED_FALL = 100, 2e-4


class TSNESettings(NeighbourSettings):
    """Settings of the t-SNE map."""

    perplexity: float = Field(30.0, ge=2, le=200, description="Roughly how many neighbours each point keeps close.")
    iterations: int = Field(
        750, ge=50, le=5000, description="Maximum steps; the first third (at most 250) exaggerates."
    )
    early_exaggeration: float = Field(
        12.0, ge=1, le=50, description="How much stronger neighbours attract in the first steps, so that groups form."
    )
    exaggeration: float = Field(1.0, ge=1, le=12, description="Above 1, groups stay tighter and further apart.")
    start: Start = Field(
        "pca", description="Initial positions; PCA preserves global structure, a random start does not."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of ties and of a random start.")


class TSNE(NeighbourMap):
    """t-distributed stochastic neighbour embedding (van der Maaten & Hinton, JMLR 2008).

    Neighbours are exact and the default start is PCA. New codes are placed by `place_by_descent`.
    """

    name = "tsne"
    label = "t-SNE"
    summary = "Preserves neighbourhoods; distances between groups mean little. Takes a while and shows its progress."
    Settings = TSNESettings
    settings: TSNESettings

    perplexity: float  # in use: at most a third of the available neighbours
    kernels: Kernels  # one per code, at that perplexity
    kl_divergence: float
    normaliser: float  # the sum of 1 / (1 + d²) over all pairs of points
    iteration = 0  # iterations done
    iterations = 0  # iterations to do
    device = ""  # where the map is computed; a GPU if available by default

    def fit(self, codes: np.ndarray, on_step: OnStep = ignore_step, labels: np.ndarray | None = None) -> np.ndarray:
        """Embed codes (N, D) as points (N, 2 or 3), reporting each step to `on_step`."""
        checked = checked_codes(codes)
        self.perplexity = usable_perplexity(self.settings.perplexity, len(checked))
        self.codes = checked.astype(np.float32)
        self.points = self._start(checked)
        self.kl_divergence, self.iteration, self.iterations = float("nan"), 0, self.settings.iterations
        on_step(Step(0, self.iterations, self.points))
        return self._descend(on_step)

    def resume(self, on_step: OnStep = ignore_step) -> np.ndarray:
        """Continue the descent of a map that was stopped or has converged."""
        if self.iteration >= self.iterations:
            self.iterations = self.iteration + self.settings.iterations
        on_step(Step(self.iteration, self.iterations, self.points, self.kl_divergence))
        return self._descend(on_step)

    def so_far(self) -> np.ndarray | None:
        """The points (N, 2 or 3) of the last step, or None before the first."""
        return self.points if self.iteration else None

    def place_new(self, codes: np.ndarray) -> np.ndarray:
        """Points (M, 2 or 3) of codes (M, D) that are not on the map, by descent with the map held fixed."""
        distances, rows = nearest(self.codes, codes, self._count(), self.settings.metric)
        similar = joint_similarities(distances, kernels(distances, self.perplexity), rows, self.kernels)
        share = self._exaggeration() / (2 * len(self.codes))
        points = self.points.astype(np.float64)
        return np.stack(
            [place_by_descent(points, *each, self.normaliser) for each in zip(rows, share * similar, strict=True)]
        )

    def state(self) -> dict[str, np.ndarray]:
        """Codes, points and the state of the descent as named arrays."""
        fit = np.array([self.perplexity, self.kl_divergence, self.iteration, self.iterations, self.normaliser])
        return {**super().state(), **self.kernels._asdict(), "fit": fit}

    @classmethod
    def from_state(cls, settings: Any, arrays: dict[str, np.ndarray]) -> Self:
        """Restore a map from its named arrays, ready to resume."""
        tsne = super().from_state(settings, arrays)
        tsne.kernels = Kernels(*(arrays[name] for name in Kernels._fields))
        tsne.perplexity, tsne.kl_divergence, *counts, tsne.normaliser = arrays["fit"].tolist()
        tsne.iteration, tsne.iterations = (int(count) for count in counts)
        return tsne

    def notes(self) -> dict[str, Any]:
        """Perplexity, divergence and iterations, as short lines of text."""
        kl = None if np.isnan(self.kl_divergence) else self.kl_divergence
        notes = {"kl_divergence": kl, "perplexity": self.perplexity, "iterations": self.iteration}
        return notes | ({"stopped_at": self.iteration} if self.iteration < self.iterations else {})

    def _start(self, codes: np.ndarray) -> np.ndarray:
        settings = self.settings
        points = start_points(codes, settings.dims, settings.start, settings.seed, START_SPREAD)
        return points.astype(np.float32)

    def _descend(self, on_step: OnStep) -> np.ndarray:
        """Run the remaining iterations or until convergence; momentum restarts at zero."""
        attraction = self._attraction(on_step)
        descent = Descent(attraction, torch.from_numpy(np.array(self.points)).to(attraction.p.device))
        reported, history = time.monotonic(), []
        while self.iteration < self.iterations:
            is_early = self._is_early()
            descent.step(self._exaggeration(), EARLY_MOMENTUM if is_early else MOMENTUM)
            self.iteration += 1
            is_round = self.iteration % REPORT_ITERATIONS == 0
            if is_round and not is_early:
                history.append(descent.divergence())
                # With exaggeration the objective is not the KL divergence.
                if self.settings.exaggeration == 1 and has_converged(history):
                    self.iterations = self.iteration
            is_last = self.iteration == self.iterations
            if is_round or is_last or time.monotonic() - reported > REPORT_SECONDS:
                self.points, self.normaliser = descent.points.cpu().numpy(), descent.normaliser
                self.kl_divergence = descent.divergence()
                on_step(Step(self.iteration, self.iterations, self.points, self.kl_divergence))
                reported = time.monotonic()
        return self.points

    def _is_early(self) -> bool:
        """Whether this is the early exaggeration phase."""
        return self.iteration < min(MAX_EARLY_ITERATIONS, self.settings.iterations // 3)

    def _exaggeration(self) -> float:
        return self.settings.early_exaggeration if self._is_early() else self.settings.exaggeration

    def _attraction(self, on_step: OnStep) -> Attraction:
        """Attraction between exact neighbours, on the device where the map is computed."""
        device = self.device or ("cuda" if torch.cuda.is_available() else "cpu")

        def on_neighbours(done: int, total: int) -> None:
            on_step(Step(self.iteration, self.iterations))

        distances, rows = own_nearest(self.codes, self._count(), self.settings.metric, on_neighbours, device)
        self.kernels = kernels(distances, self.perplexity, device)
        return Attraction(rows, similarities(distances, self.kernels), device)

    def _count(self) -> int:
        """Number of neighbours per code."""
        return max(1, min(len(self.codes) - 1, int(3 * self.perplexity)))


def has_converged(history: list[float]) -> bool:
    """Whether the KL divergence, recorded every ten iterations, has practically stopped falling."""
    before = CONVERGED_ITERATIONS // REPORT_ITERATIONS
    return len(history) > before and history[-1 - before] - min(history[-before:]) < CONVERGED_FALL * history[-1]


def usable_perplexity(perplexity: float, n: int) -> float:
    """The perplexity for n codes: as requested, or lowered to (n - 1) / 3, which their neighbours allow.

    Raises:
        BadValue: fewer than 5 codes.
    """
    if n < MIN_CODES:
        raise BadValue("t-SNE needs at least {least} codes, here are {n}; take more images", least=MIN_CODES, n=n)
    return min(perplexity, (n - 1) / 3)

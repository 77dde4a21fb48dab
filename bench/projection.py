"""Maps: aeviz's t-SNE against scikit-learn's, on codes of a trained network, by time and by what the map keeps."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from aeviz import training
from aeviz.data import Dataset
from aeviz.latent.encode import encode
from aeviz.latent.neighbours import squared_distances
from aeviz.latent.quality import knn_accuracy, trustworthiness
from aeviz.latent.tsne import TSNE, TSNESettings
from bench.measure import Setup, Table, interleave, median_and_range, ratio, trainer_of
from bench.training import make_recipe

TRAINED_EPOCHS = 1
WARM_UP_POINTS = 200
RIVAL_STEPS = 1_000  # scikit-learn's own; its steps are shorter


class Map(NamedTuple):
    """Seconds a map took, and its points (N, 2)."""

    seconds: float
    points: np.ndarray


class Comparison(NamedTuple):
    """Both sides' maps (repeats,) of the same codes, and what is needed to judge them."""

    codes: np.ndarray
    labels: np.ndarray
    aeviz: list[Map]
    scikit_learn: list[Map]


def trained_codes(dataset: Dataset, n: int, setup: Setup) -> tuple[np.ndarray, np.ndarray]:
    """Codes (n, 32) and labels (n,) of the dense network after an epoch: test images first, then training images."""
    torch.set_num_threads(setup.threads)
    recipe = make_recipe("dense", 128, TRAINED_EPOCHS, setup)
    run = training.prepare(recipe, dataset)
    trainer = trainer_of(run, dataset)
    trainer.train()
    rows = np.concatenate([dataset.rows("test"), dataset.rows("train")])[:n]
    return encode(trainer.model, dataset.images, rows), dataset.labels[rows]


def map_ours(codes: np.ndarray, settings: TSNESettings, threads: int) -> Map:
    """aeviz's t-SNE, as the Map page and `aeviz project` run it, with as many threads as torch may use."""
    return _timed(lambda: TSNE(settings).fit(codes))


def map_rival(codes: np.ndarray, settings: TSNESettings, threads: int) -> Map:
    """scikit-learn's t-SNE (Barnes-Hut, start by PCA) with the same perplexity, and otherwise as it comes."""
    from sklearn.manifold import TSNE as Rival

    rival = Rival(perplexity=settings.perplexity, random_state=settings.seed, n_jobs=threads)
    return _timed(lambda: rival.fit_transform(codes))


def compare(codes: np.ndarray, labels: np.ndarray, setup: Setup, settings: TSNESettings) -> Comparison:
    """Map the codes on both sides, at the same number of threads throughout."""
    torch.set_num_threads(setup.threads)
    # scikit-learn's Barnes-Hut heeds OpenMP's number of threads, not n_jobs.
    with threadpool_limits(setup.threads):
        for side in (map_ours, map_rival):
            side(codes[:WARM_UP_POINTS], settings, setup.threads)
        sides = [lambda side=side: side(codes, settings, setup.threads) for side in (map_ours, map_rival)]
        return Comparison(codes, labels, *interleave(sides, setup.repeats))


def table(comparison: Comparison, dataset: Dataset, setup: Setup, settings: TSNESettings) -> Table:
    """A row per side; the ratio is of seconds, above 1 where aeviz is faster."""
    affinities = _affinities(comparison.codes, settings, setup.threads)
    theirs = [each.seconds for each in comparison.scikit_learn]
    rows = []
    for name, maps in (("aeviz", comparison.aeviz), ("scikit-learn", comparison.scikit_learn)):
        seconds = [each.seconds for each in maps]
        shown = median_and_range(seconds, lambda value: f"{value:.1f}")
        quality = _quality(comparison, maps[-1].points, affinities)
        rows.append((name, shown, *quality, f"{ratio(theirs, seconds):.2f}"))
    n, features = comparison.codes.shape
    title = (
        f"t-SNE: {n:,} codes of {features} numbers, {dataset.label}, perplexity {settings.perplexity:g}, "
        f"{settings.iterations} steps (scikit-learn: its {RIVAL_STEPS:,}); {setup.described()}"
    )
    return Table(title, ("t-SNE", "seconds", "trustworthiness", "10-NN", "KL", "ratio"), rows)


def kl_divergence(affinities: Any, points: np.ndarray) -> float:
    """KL of the map's similarities from the codes' affinities (N, N), sparse and summing to 1, without approximation.

    Both libraries report their own, but with different affinities and an approximated normaliser.
    """
    points = points.astype(np.float64)
    entries = affinities.tocoo()
    squared = np.square(points[entries.row] - points[entries.col]).sum(axis=1)
    normaliser = sum(float((1 + chunk).reciprocal().sum()) for _, chunk in squared_distances(points, points))
    log_q = -np.log1p(squared) - np.log(normaliser - len(points))
    return float((entries.data * (np.log(entries.data) - log_q)).sum())


def _affinities(codes: np.ndarray, settings: TSNESettings, threads: int) -> Any:
    from openTSNE.affinity import PerplexityBasedNN

    return PerplexityBasedNN(codes, perplexity=settings.perplexity, method="exact", n_jobs=threads).P


def _quality(comparison: Comparison, points: np.ndarray, affinities: Any) -> tuple[str, str, str]:
    """Trustworthiness (k = 15), cross-validated 10-NN accuracy, and KL, by the same code for both sides."""
    numbers = (
        trustworthiness(comparison.codes, points).value,
        knn_accuracy(points, comparison.labels),
        kl_divergence(affinities, points),
    )
    trust, accuracy, kl = ("unknown" if number is None else f"{number:.4f}" for number in numbers)
    return trust, accuracy, kl


def _timed(work: Callable[[], np.ndarray]) -> Map:
    started = time.perf_counter()
    points = work()
    return Map(time.perf_counter() - started, points)

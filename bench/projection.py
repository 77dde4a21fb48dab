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
from aeviz.latent.projections.tsne.tsne import TSNE, TSNESettings
from aeviz.latent.quality.trustworthiness import knn_accuracy, trustworthiness
from bench.measure import Setup, median_and_range, ratio, trainer_of
from bench.table import Table
from bench.training import make_recipe

TRAINED_EPOCHS = 1
WARM_UP_POINTS = 200
MOST_PLACED = 300
RIVAL_STEPS = 1_000  # scikit-learn's own; its steps are shorter


class Codes(NamedTuple):
    """Codes z (N, D) with their labels (N,)."""

    z: np.ndarray
    labels: np.ndarray


class Map(NamedTuple):
    """Seconds a map took, and its points (N, 2)."""

    seconds: float
    points: np.ndarray


class Round(NamedTuple):
    """The same codes, mapped by both sides; `placed` is the share of codes that aeviz puts back where they were."""

    codes: Codes
    aeviz: Map
    scikit_learn: Map
    placed: float


def trained_codes(dataset: Dataset, n: int, setup: Setup) -> list[Codes]:
    """For every repeat n other codes of the dense network after an epoch, as long as there are images."""
    torch.set_num_threads(setup.threads)
    recipe = make_recipe("dense", 128, TRAINED_EPOCHS, setup)
    run = training.prepare(recipe, dataset)
    trainer = trainer_of(run, dataset)
    trainer.train()
    rows = np.concatenate([dataset.rows("test"), dataset.rows("train")])
    rounds = min(setup.repeats, max(1, len(rows) // n))
    rows = np.random.default_rng(0).permutation(rows)[: rounds * n]
    z, labels = encode(trainer.model, dataset.images, rows), dataset.labels[rows]
    parts = [slice(start, start + n) for start in range(0, len(rows), n)]
    return [Codes(z[part], labels[part]) for part in parts[:rounds]]


def map_ours(codes: np.ndarray, settings: TSNESettings) -> tuple[Map, TSNE]:
    """aeviz's t-SNE, as the Map page and `aeviz project` run it, with as many threads as torch may use."""
    tsne = TSNE(settings)
    return _timed(lambda: tsne.fit(codes)), tsne


def map_rival(codes: np.ndarray, settings: TSNESettings, threads: int) -> Map:
    """scikit-learn's t-SNE (Barnes-Hut, start by PCA) with the same perplexity, and otherwise as it comes."""
    from sklearn.manifold import TSNE as Rival

    rival = Rival(perplexity=settings.perplexity, random_state=settings.seed, n_jobs=threads)
    return _timed(lambda: rival.fit_transform(codes))


def compare(parts: list[Codes], setup: Setup, settings: TSNESettings) -> list[Round]:
    """Map all codes on both sides, at the same number of threads throughout, either side first in turn."""
    torch.set_num_threads(setup.threads)
    # scikit-learn's Barnes-Hut heeds OpenMP's number of threads, not n_jobs.
    with threadpool_limits(setup.threads):
        map_ours(parts[0].z[:WARM_UP_POINTS], settings)
        map_rival(parts[0].z[:WARM_UP_POINTS], settings, setup.threads)
        return [_round(codes, setup, settings, is_second=bool(number % 2)) for number, codes in enumerate(parts)]


def _round(codes: Codes, setup: Setup, settings: TSNESettings, *, is_second: bool) -> Round:
    theirs = None if is_second else map_rival(codes.z, settings, setup.threads)
    ours, tsne = map_ours(codes.z, settings)
    theirs = theirs or map_rival(codes.z, settings, setup.threads)
    return Round(codes, ours, theirs, placed_back(tsne))


def table(rounds: list[Round], dataset: Dataset, setup: Setup, settings: TSNESettings) -> Table:
    """A row per side; the ratio is of seconds, above 1 where aeviz is faster, the other numbers are means of all maps."""
    affinities = [_affinities(each.codes.z, settings, setup.threads) for each in rounds]
    theirs = [each.scikit_learn.seconds for each in rounds]
    rows = []
    for name, maps in (
        ("aeviz", [each.aeviz for each in rounds]),
        ("scikit-learn", [each.scikit_learn for each in rounds]),
    ):
        seconds = [each.seconds for each in maps]
        shown = median_and_range(seconds, lambda value: f"{value:.1f}")
        found = [_quality(each.codes, drawn.points, p) for each, drawn, p in zip(rounds, maps, affinities, strict=True)]
        placed = f"{np.mean([each.placed for each in rounds]):.1%}" if name == "aeviz" else "it cannot"
        quality = (f"{np.mean(numbers):.4f}" for numbers in zip(*found, strict=True))
        rows.append((name, shown, *quality, placed, f"{ratio(theirs, seconds):.2f}"))
    n, features = rounds[0].codes.z.shape
    title = (
        f"t-SNE: {n:,} codes of {features} numbers, others in each of {len(rounds)} rounds, {dataset.label}, "
        f"perplexity {settings.perplexity:g}, {settings.iterations} steps (scikit-learn: its {RIVAL_STEPS:,}); "
        f"{setup.described()}"
    )
    return Table(title, ("t-SNE", "seconds", "trustworthiness", "10-NN", "KL", "placed back", "ratio"), rows)


def placed_back(tsne: TSNE) -> float:
    """The share of codes that land within 2 % of the map's width of their own dots, each left out and placed anew."""
    n = len(tsne.points)
    hits = [_lands_back(tsne, row) for row in np.random.default_rng(0).permutation(n)[:MOST_PLACED]]
    return float(np.mean(hits))


def _lands_back(tsne: TSNE, row: int) -> bool:
    state = tsne.state()
    per_code = {name: array for name, array in state.items() if len(array) == len(tsne.points)}
    without = {name: np.delete(array, row, axis=0) for name, array in per_code.items()}
    placed = TSNE.from_state(tsne.settings, state | without).place(tsne.codes[row : row + 1])[0]
    return bool(np.linalg.norm(placed - tsne.points[row]) < 0.02 * np.ptp(tsne.points[:, 0]))


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


def _quality(codes: Codes, points: np.ndarray, affinities: Any) -> tuple[float, float, float]:
    """Trustworthiness (k = 15), cross-validated 10-NN accuracy, and KL, by the same code for both sides."""
    trust, accuracy = trustworthiness(codes.z, points).value, knn_accuracy(points, codes.labels)
    unknown = float("nan")
    return trust or unknown, accuracy or unknown, kl_divergence(affinities, points)


def _timed(work: Callable[[], np.ndarray]) -> Map:
    started = time.perf_counter()
    points = work()
    return Map(time.perf_counter() - started, points)

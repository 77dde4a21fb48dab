"""t-SNE of many codes on the card: seconds in all and by stage, what the map keeps, and the processor's beside."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from aeviz.latent.neighbours import own_nearest
from aeviz.latent.projections.tsne.attraction import Attraction, kernels, similarities
from aeviz.latent.projections.tsne.optimiser import Descent
from aeviz.latent.projections.tsne.tsne import TSNE, TSNESettings
from aeviz.latent.quality.trustworthiness import trustworthiness
from bench.gpu.latent import mixture
from bench.gpu.parts import Found, Setting, Work
from bench.measure import wait_for

POINTS, DIMS = 60_000, 32
WARM_UP = 2_000
JUDGED, TIMED_STEPS = 4_000, 100


def works(setting: Setting) -> list[Work]:
    """The card's map, where its time goes, and last the processor's, which may not come to its end."""
    z = mixture(200 if setting.small else POINTS, DIMS)
    device = "cpu:0" if setting.device == "cpu" else setting.device
    both: list[Work] = [
        ("t-SNE on the device", partial(draw, z, device, setting.small)),
        ("t-SNE by stage", partial(stages, z, device, 3 if setting.small else TIMED_STEPS)),
    ]
    return both if setting.small else [*both, ("t-SNE on the processor", partial(draw, z, "cpu", setting.small))]


def draw(z: np.ndarray, device: str, small: bool) -> Found:
    """A whole map with aeviz's own settings, after a small one to warm up."""
    settings = TSNESettings(iterations=100 if small else 750, perplexity=10 if small else 30)
    for codes in (z[:WARM_UP], z):
        tsne = TSNE(settings)
        tsne.device = device
        began = time.perf_counter()
        points = tsne.fit(codes)
        seconds = time.perf_counter() - began
    rows = np.random.default_rng(0).permutation(len(z))[:JUDGED]
    trust = trustworthiness(z[rows], points[rows]).value
    return {
        "device": device, "points": len(z), "dims": z.shape[1], "seconds_of_map": round(seconds, 3),
        "iterations": tsne.iteration, "kl": tsne.kl_divergence, "trustworthiness": trust,
    }  # fmt: skip


def stages(z: np.ndarray, device: str, steps: int) -> Found:
    """Seconds for neighbours, similarities and joining them, and milliseconds of a step by its two forces."""
    perplexity = min(30.0, len(z) / 10)
    took: dict[str, float] = {}
    distances, rows = _timed(took, "neighbours_s", device, lambda: own_nearest(z, int(3 * perplexity), device=device))
    found = _timed(took, "kernels_s", device, lambda: kernels(distances, perplexity, device))
    attraction = _timed(took, "joining_s", device, lambda: Attraction(rows, similarities(distances, found), device))
    points = torch.from_numpy(np.random.default_rng(0).normal(scale=20.0, size=(len(z), 2)).astype(np.float32))
    descent = Descent(attraction, points.to(device))
    took["step_ms"] = _per_step(device, steps, lambda: descent.step(1.0, 0.8))
    took["attraction_ms"] = _per_step(device, steps, lambda: attraction(descent.points))
    took["repulsion_ms"] = _per_step(device, steps, lambda: descent._repulsion(descent.points))
    return {name: round(value, 4) for name, value in took.items()}


def _timed(took: dict[str, float], name: str, device: str, work: Callable[[], object]) -> object:
    began = time.perf_counter()
    result = work()
    wait_for(device)
    took[name] = time.perf_counter() - began
    return result


def _per_step(device: str, steps: int, step: Callable[[], object]) -> float:
    """Milliseconds of one of many, after a few to warm up."""
    for _ in range(5):
        step()
    wait_for(device)
    began = time.perf_counter()
    for _ in range(steps):
        step()
    wait_for(device)
    return 1000 * (time.perf_counter() - began) / steps

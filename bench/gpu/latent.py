"""What is asked of a network once it is trained: codes, pictures, roads, maps and scores, against the processor's."""

import copy
from functools import partial
from typing import Any

import numpy as np

from aeviz.latent.encode import decode, encode
from aeviz.latent.neighbours import own_nearest
from aeviz.latent.paths.geodesic import Metric, geodesic
from aeviz.latent.projections.tsne.tsne import TSNE, TSNESettings
from aeviz.latent.quality.pointwise import decoder_stretch
from aeviz.latent.quality.trustworthiness import trustworthiness
from aeviz.training.batches.feed import Feed
from aeviz.training.doctor.measurements import observe
from aeviz.training.validation import evaluate
from bench.gpu.blobs import blobs
from bench.gpu.parts import Found, Setting, Work, needed
from bench.gpu.runs import prepared, train
from bench.gpu.steps import exact

NEAR = 1e-3
TRUST = 0.01  # by which two maps' trustworthiness may differ


class Trained:
    """A network trained on the card for a moment, its twin on the processor, and its images; made when first asked for."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._made: tuple[Any, Any, Any] | None = None

    def __call__(self) -> tuple[Any, Any, Any]:
        """The network on the card, its twin, and the images."""
        if self._made is None:
            dataset = blobs(300 if self.setting.small else 6000)
            run = train(prepared(self.setting.device, dataset, "conv", epochs=1 if self.setting.small else 4), dataset)
            model = run.load(self.setting.device)
            self._made = model, copy.deepcopy(model).cpu(), dataset
        return self._made


def works(setting: Setting) -> list[Work]:
    """The numbers of both devices beside each other."""
    trained, codes = Trained(setting), 150 if setting.small else 3000
    return [
        ("codes", partial(codes_of, trained)),
        ("pictures", partial(pictures_of, trained)),
        ("validation", partial(validation, trained)),
        ("vitals", partial(vitals, trained)),
        ("decoder's stretch", partial(stretch, trained)),
        ("a road by the geodesic", partial(road, trained)),
        ("neighbours", partial(neighbours, setting, codes)),
        ("t-SNE in 2-D", partial(maps, setting, codes, 2)),
        ("t-SNE placing", partial(placing, setting, codes)),
        ("t-SNE in 3-D", partial(maps, setting, codes, 3)),
        ("score", partial(score, trained)),
    ]


def codes_of(trained: Trained) -> Found:
    """The codes of images."""
    model, twin, dataset = trained()
    rows = dataset.rows("test")
    with exact():
        return near(*(encode(each, dataset.images, rows) for each in (twin, model)))


def pictures_of(trained: Trained) -> Found:
    """The pictures of codes."""
    model, twin, _ = trained()
    z = np.random.default_rng(0).normal(size=(256, model.latent_dim))
    with exact():
        return near(*(decode(each, z) for each in (twin, model)))


def validation(trained: Trained) -> Found:
    """What validation says."""
    model, twin, dataset = trained()
    with exact():
        told = [evaluate(each, Feed(dataset, "val", _device(each), resident=True)) for each in (twin, model)]
    return near(*(np.array(list(each.values())) for each in told)) | {"mse": told[1]["mse"]}


def vitals(trained: Trained) -> Found:
    """The variance of codes by dimension, and that the rest is told; draws differ between devices."""
    model, twin, dataset = trained()
    told = [observe(each, Feed(dataset, "val", _device(each), resident=True))[0] for each in (twin, model)]
    return near(*(np.array(each["variance"], float) for each in told), within=0.02)


def stretch(trained: Trained) -> Found:
    """The decoder's Jacobian."""
    model, twin, _ = trained()
    z = np.random.default_rng(0).normal(size=(64, model.latent_dim)).astype(np.float32)
    with exact():
        return near(*(decoder_stretch(each, z) for each in (twin, model)))


def road(trained: Trained) -> Found:
    """A curve between two codes, by its energy; descents may part, and end about as low."""
    model, twin, dataset = trained()
    z = encode(twin, dataset.images, dataset.rows("test"))
    metrics = [Metric.of(each, z, 1.0) for each in (twin, model)]
    with exact():
        energies = [metric.energy(geodesic(metric, z[0], z[1])) for metric in metrics]
    return near(*(np.array([energy]) for energy in energies), within=0.1)


def neighbours(setting: Setting, count: int) -> Found:
    """The nearest of every code: the same rows."""
    z = mixture(count)
    ours, theirs = (own_nearest(z, 15, device=device) for device in ("cpu", _there(setting)))
    return {"ok": bool((ours[1] == theirs[1]).all()), "difference": float(np.abs(ours[0] - theirs[0]).max())}


def maps(setting: Setting, count: int, dims: Any) -> Found:
    """Maps of the same codes: as trustworthy."""
    if dims == 3:
        needed("openTSNE", "cloudpickle")
    z, trust = mixture(count), []
    for device in ("cpu", _there(setting)):
        tsne = drawn(z, device, dims)
        trust.append(trustworthiness(z, tsne.points).value or 0.0)
    return {"ok": trust[1] > trust[0] - TRUST, "difference": trust[0] - trust[1], "trustworthiness": trust}


def placing(setting: Setting, count: int) -> Found:
    """Codes that are on the map are placed where they are, new ones beside their neighbours."""
    z = mixture(count)
    tsne = drawn(z[:-20], _there(setting), 2)
    again, new = tsne.place(z[:20]), tsne.place(z[-20:])
    nearest = np.linalg.norm(new[:, None] - tsne.points[None], axis=2).min(1) / np.ptp(tsne.points[:, 0])
    return {
        "ok": bool((again == tsne.points[:20]).all() and np.median(nearest) < 0.02),
        "difference": float(np.median(nearest)),
    }


def score(trained: Trained) -> Found:
    """`aeviz score` of both."""
    needed("torchmetrics", "sklearn")
    from aeviz.scores.score import score_model

    model, twin, dataset = trained()
    names = ("mse", "ssim", "knn", "linear", "trustworthiness")
    with exact():
        told = [score_model(each, dataset) for each in (twin, model)]
    numbers = [np.array([_number(each[name]) for name in names]) for each in told]
    return near(*numbers, within=0.01) | dict(zip(names, numbers[1].round(4).tolist(), strict=True))


def drawn(z: np.ndarray, device: str, dims: Any) -> TSNE:
    """A map of codes, drawn on a device; of few codes only to see that it is."""
    tsne = TSNE(TSNESettings(dims=dims, iterations=60 if len(z) < 1000 else 500))
    tsne.device = device
    tsne.fit(z)
    return tsne


def mixture(count: int, dims: int = 16, groups: int = 10) -> np.ndarray:
    """Codes (count, dims) in groups, each with a few directions of its own."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, groups, count)
    bases = rng.normal(size=(groups, 5, dims))
    inner = rng.normal(size=(count, 5))
    return (4 * rng.normal(size=(groups, dims))[group] + np.einsum("nk,nkd->nd", inner, bases[group])).astype(
        np.float32
    )


def near(wanted: np.ndarray, found: np.ndarray, within: float = NEAR) -> Found:
    """The greatest difference by the size of what is compared."""
    apart = float(np.abs(found - wanted).max() / max(1e-6, np.abs(wanted).max()))
    return {"ok": bool(apart < within), "difference": apart}


def _there(setting: Setting) -> str:
    """The device under a name that makes the card's own ways be taken, on the processor too."""
    return "cpu:0" if setting.device == "cpu" else setting.device


def _device(model: Any) -> str:
    return str(next(model.parameters()).device)


def _number(value: Any) -> float:
    return float(value["accuracy"] if isinstance(value, dict) else value if value is not None else np.nan)

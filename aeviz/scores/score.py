"""Scores of a model on a split, and of PCA of equal size."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from aeviz.data.splits import Split
from aeviz.latent.conditioning import class_labels
from aeviz.latent.encode import encode, reconstruct
from aeviz.latent.quality.trustworthiness import MAX_ROWS, trustworthiness
from aeviz.scores.baseline import PCABaseline
from aeviz.scores.images import mse, psnr, ssim
from aeviz.scores.probe import knn_probe, linear_probe

OnStep = Callable[[int, int], None]
STAGES = 8


def score_model(model: Any, dataset: Any, split: Split = "test", on_step: OnStep | None = None) -> dict[str, Any]:
    """Score a model on one split, with PCA of equal size (at most one component per pixel and row) as baseline.

    Probes are fitted on train. Trustworthiness (k = 15) compares codes with pixels, over at most 10,000 rows.
    Unknown or non-finite numbers are None. A conditional model gets class labels.

    Args:
        model: see `aeviz.latent.encode`.
        dataset: has `images` (N, C, H, W) uint8, `labels` (N,) with -1 unknown, and `rows(split)`.
        split: the split to score.
        on_step: called with `(done, total)`; may raise to cancel.
    """
    stage = _Stages(on_step)
    train, rows = dataset.rows("train"), dataset.rows(split)
    train_condition, condition = (
        class_labels(model, dataset.images, part, dataset.labels[part]) for part in (train, rows)
    )
    pca = PCABaseline.fit(dataset.images, train, model.latent_dim, on_step=stage.next())
    ours, theirs = _reconstruction_scores(model, pca, dataset.images, rows, condition, stage.next())
    fitted = (encode(model, dataset.images, train, labels=train_condition, on_step=stage.next()), dataset.labels[train])
    pca_fitted = (pca.encode(dataset.images, train, stage.next()), dataset.labels[train])
    ours |= _code_scores(ours.pop("codes"), dataset.labels[rows], *fitted, dataset.images, rows, stage)
    theirs |= _code_scores(theirs.pop("codes"), dataset.labels[rows], *pca_fitted, dataset.images, rows, stage)
    stage.next()
    return {"split": split, "n": len(rows), **ours, "pca": theirs}


def errors_per_image(
    model: Any, images: Any, rows: np.ndarray, labels: np.ndarray | None = None, on_step: OnStep | None = None
) -> np.ndarray:
    """Mean squared error per pixel (n,) of each of the given rows, the reference for `percentile`.

    A conditional model gets class labels, from labels (n,) where known.
    """
    condition = class_labels(model, images, rows, labels)
    batches = reconstruct(model, images, rows, labels=condition, on_step=on_step)
    errors = [mse(_floats(batch.x), batch.x_hat) for batch in batches]
    return np.concatenate(errors) if errors else np.empty(0)


class _Stages:
    """Progress over stages; steps within a stage only let the caller cancel."""

    def __init__(self, on_step: OnStep | None) -> None:
        self.on_step = on_step
        self.done = -1

    def next(self) -> OnStep:
        """Start the next stage and return its `on_step`."""
        self.done += 1
        self.again()
        return self.again

    def again(self, *_: int) -> None:
        """Report the current stage."""
        if self.on_step:
            self.on_step(min(self.done, STAGES), STAGES)


def _reconstruction_scores(
    model: Any, pca: PCABaseline, images: Any, rows: np.ndarray, condition: np.ndarray | None, on_step: OnStep
) -> tuple[dict[str, Any], dict[str, Any]]:
    """MSE, PSNR, SSIM and the codes, of the model and of PCA, in one pass over the images."""
    ours, theirs = _Sums(), _Sums()
    for batch in reconstruct(model, images, rows, labels=condition, on_step=on_step):
        x = _floats(batch.x)
        ours.add(x, batch.x_hat, batch.z)
        z = pca.code(x)
        theirs.add(x, pca.decode(z), z)
    return ours.scores(), theirs.scores()


class _Sums:
    """Errors, similarities and codes collected in a pass over the images."""

    def __init__(self) -> None:
        self.errors: list[np.ndarray] = []
        self.similarities: list[np.ndarray] = []
        self.codes: list[np.ndarray] = []

    def add(self, x: np.ndarray, x_hat: np.ndarray, z: np.ndarray) -> None:
        """Add a batch of images, reconstructions (B, C, H, W) and codes (B, D)."""
        self.errors.append(mse(x, x_hat))
        self.similarities.append(ssim(x, x_hat))
        self.codes.append(z)

    def scores(self) -> dict[str, Any]:
        """Mean scores, and all codes (n, D)."""
        error, similarity = _mean(self.errors), _mean(self.similarities)
        codes = np.concatenate(self.codes) if self.codes else np.empty((0, 1), dtype=np.float32)
        return {"mse": error, "psnr": psnr(error), "ssim": similarity, "codes": codes}


def _code_scores(
    codes: np.ndarray,
    labels: np.ndarray,
    train_codes: np.ndarray,
    train_labels: np.ndarray,
    images: Any,
    rows: np.ndarray,
    stage: _Stages,
) -> dict[str, Any]:
    """Scores of the rows' codes (n, D): probe accuracies, fitted on train, and trustworthiness against pixels."""
    knn = knn_probe(train_codes, train_labels, codes, labels)
    stage.next()
    linear = linear_probe(train_codes, train_labels, codes, labels)
    stage.next()
    return {"knn": knn, "linear": linear, "trustworthiness": _pixel_trust(images, rows, codes)}


def _pixel_trust(images: Any, rows: np.ndarray, codes: np.ndarray) -> float | None:
    """Trustworthiness (k = 15) of codes (n, D) against pixels; rows are subsampled before reading."""
    if len(rows) > MAX_ROWS:
        drawn = np.sort(np.random.default_rng(0).permutation(len(rows))[:MAX_ROWS])
        rows, codes = rows[drawn], codes[drawn]
    return trustworthiness(np.asarray(images[rows]), codes).value


def _floats(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32) / np.float32(255)


def _mean(parts: list[np.ndarray]) -> float | None:
    value = float(np.concatenate(parts).mean()) if parts else math.nan
    return value if math.isfinite(value) else None

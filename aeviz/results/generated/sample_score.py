"""Scores of a run's samples, with real training images against test images as the floor."""

from typing import Any, Literal

import numpy as np
from safetensors.torch import load_file, save

from aeviz import files
from aeviz.data import Dataset, to_pixels
from aeviz.errors import MissingData
from aeviz.jobs import Job
from aeviz.latent.encode import decode, encode
from aeviz.models import Autoencoder
from aeviz.results.codes import dataset_of, labels_of, model_of
from aeviz.results.generated.samples import SampleRequest, draw
from aeviz.results.store import Report, name_of, path_of, quiet, read_json
from aeviz.runs import Run
from aeviz.scores.classifier import Classifier, train_classifier
from aeviz.scores.generation import frechet, precision_recall

Features = Literal["classifier", "encoder"]
MAX_SCORED = 5000  # images on each side
BATCH_SIZE = 500


def sample_score(run: Run, request: SampleRequest, report: Report = quiet) -> dict[str, Any]:
    """Fréchet distance, precision and recall of samples against test images, with training images as the floor.

    All sets have the same size, up to 5,000, and the class of the samples if they have one. `features` is the feature
    extractor: a small `classifier` trained on the set (shared by all runs on it), or for sets without classes the run's
    own `encoder` (comparable within the run only).

    Raises:
        MissingData: the set is unavailable or too small.
        BadValue: the sampler cannot be fitted to the codes.
    """
    path = path_of(run, "sample_score", _parameters(request), "json")
    kept = read_json(path)
    if kept is None:
        kept = _scored(run, request, report)
        files.write_json(path, kept)
    return kept


def kept_sample_score(run: Run, request: SampleRequest) -> dict[str, Any] | None:
    """The cached score of these samples; None if not computed yet."""
    return read_json(path_of(run, "sample_score", _parameters(request), "json"))


def sample_score_job(run: Run, request: SampleRequest) -> Job:
    """The background job that scores samples; it may not exist yet."""
    return Job(run.results / "jobs" / name_of(run, "sample_score", _parameters(request)))


def _parameters(request: SampleRequest) -> dict[str, Any]:
    """The request without `count`, which does not affect the score."""
    return request.model_dump(mode="json", exclude={"count"})


def _scored(run: Run, request: SampleRequest, report: Report) -> dict[str, Any]:
    dataset, model = dataset_of(run), model_of(run)
    train, test = (_rows(dataset, split, request.label) for split in ("train", "test"))
    n = min(MAX_SCORED, len(train), len(test))
    if n < 2:
        raise MissingData(
            "samples of {name} cannot be scored with {train} training and {test} test images; it takes 2 of each",
            name=dataset.name, train=len(train), test=len(test),
        )  # fmt: skip
    drawn = draw(run, model, request, n, report)
    report(0, 0, "Decoding")
    fakes = _decoded(model, drawn.z, drawn.labels)
    kind: Features = "classifier" if _has_classes(dataset) else "encoder"
    features_of = _classifier(run, dataset, report).features if kind == "classifier" else _encoder(model)
    report(0, 0, "Comparing")
    real, train_features = (features_of(np.asarray(dataset.images[rows[:n]])) for rows in (test, train))
    return {"features": kind, "n": n} | _numbers(real, features_of(fakes)) | {"floor": _numbers(real, train_features)}


def _numbers(real: np.ndarray, other: np.ndarray) -> dict[str, float | None]:
    return {"frechet": frechet(real, other)} | precision_recall(real, other)._asdict()


def _rows(dataset: Dataset, split: Literal["train", "test"], label: int | None) -> np.ndarray:
    """Rows of a split in a fixed shuffle, optionally of one class."""
    rows = dataset.rows(split)
    if label is not None:
        rows = rows[dataset.labels[rows] == label]
    return np.random.default_rng(0).permutation(rows)


def _has_classes(dataset: Dataset) -> bool:
    labels = dataset.labels[dataset.rows("train")]
    return len(np.unique(labels[labels >= 0])) > 1


def _decoded(model: Autoencoder, z: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
    """Decode codes (n, D) to pixels (n, C, H, W) uint8."""
    parts = [slice(start, start + BATCH_SIZE) for start in range(0, len(z), BATCH_SIZE)]
    return np.concatenate(
        [to_pixels(decode(model, z[part], labels=None if labels is None else labels[part])) for part in parts]
    )


def _encoder(model: Autoencoder) -> Any:
    return lambda images: encode(model, images, np.arange(len(images)), labels=labels_of(model, images))


def _classifier(run: Run, dataset: Dataset, report: Report) -> Classifier:
    """The cached classifier of the run's data set, trained on first use."""
    path = run.results / f"classifier-{dataset.hash[:20]}.safetensors"
    if path.exists():
        classifier = Classifier(dataset.shape[0], len(dataset.classes))
        classifier.load_state_dict(load_file(path))
        return classifier.eval()
    classifier = train_classifier(
        dataset.images, dataset.labels, dataset.rows("train"), len(dataset.classes),
        on_step=lambda done, total: report(done, total, "Training the scoring classifier"),
    )  # fmt: skip
    files.write_bytes(path, save(classifier.state_dict()))
    return classifier

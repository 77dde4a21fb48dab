"""Samples from a run, each with its nearest training image."""

from dataclasses import dataclass

import numpy as np
from pydantic import Field, field_validator

from aeviz.data import Dataset
from aeviz.errors import BadValue, MissingData
from aeviz.latent.encode import decode
from aeviz.latent.neighbours import nearest
from aeviz.latent.sampling.samplers import SAMPLERS, Drawn, Sampler, SampleSettings
from aeviz.models import Autoencoder
from aeviz.models.variants.cvae import ConditionalVAE
from aeviz.results.codes import Codes, dataset_of, known_codes, model_of
from aeviz.results.store import Report, path_of, quiet, read_arrays, write_arrays
from aeviz.runs import Run

FEWEST = 2  # images a class needs to be sampled from
CANDIDATES = 20  # nearest codes searched for the nearest image


class SampleRequest(SampleSettings):
    """A sampler and its settings."""

    sampler: str = Field("mixture", description="Name of the sampler.")

    @field_validator("sampler")
    @classmethod
    def _is_registered(cls, name: str) -> str:
        if name not in SAMPLERS:
            raise ValueError(f"no sampler is called {name!r}; there are: {', '.join(SAMPLERS)}")
        return name


@dataclass(frozen=True)
class Samples:
    """Codes z (n, D), decoded images x_hat (n, C, H, W) in [0, 1], and the labels (n,) drawn with them.

    `nearest` (n,) are rows of the nearest training images, `distance` (n,) the mean squared error per pixel; None if
    the images are unavailable.
    """

    z: np.ndarray
    x_hat: np.ndarray
    labels: np.ndarray | None
    nearest: np.ndarray | None
    distance: np.ndarray | None


def samplers_of(run: Run) -> list[Sampler]:
    """The samplers available for a run, in display order.

    Raises:
        NotNow: the run has no weights yet.
    """
    model, labels = model_of(run), np.arange(len(run.config().data.classes))
    return [sampler for sampler in SAMPLERS.values() if sampler.available(model, labels)]


def samples(run: Run, request: SampleRequest, report: Report = quiet) -> Samples:
    """Draw samples; the fitted sampler is cached.

    Raises:
        BadValue: the sampler cannot be fitted to these codes.
        MissingData: the sampler needs images that are not available.
    """
    model = model_of(run)
    drawn = draw(run, model, request, request.count, report)
    x_hat = decode(model, drawn.z, labels=drawn.labels)
    try:
        dataset, known = dataset_of(run), known_codes(run, report)
    except MissingData:
        return Samples(drawn.z, x_hat, drawn.labels, None, None)
    return Samples(drawn.z, x_hat, drawn.labels, *_most_alike(drawn.z, x_hat, known, dataset))


def draw(run: Run, model: Autoencoder, request: SampleRequest, count: int, report: Report = quiet) -> Drawn:
    """Draw `count` codes with the requested sampler, fitting it if not cached."""
    sampler = SAMPLERS[request.sampler]
    _check_label(run, model, request)
    path = path_of(run, "sampler", {"sampler": sampler.name} | sampler.fit_settings(request), "npz")
    fitted = read_arrays(path)
    if fitted is None:
        known = known_codes(run, report) if sampler.needs_codes(model) else _no_codes(model)
        _check_class(run, model, request, known)
        report(0, 0, f"Fitting: {sampler.label}")
        fitted = sampler.fit(known.z, known.labels if known.condition is None else known.condition, model, request)
        write_arrays(path, fitted)
    return sampler.draw(fitted, request, count)


def _check_label(run: Run, model: Autoencoder, request: SampleRequest) -> None:
    sampler, count = SAMPLERS[request.sampler], len(run.config().data.classes)
    if request.label is not None and not sampler.takes_label(model):
        raise BadValue(
            "{sampler!r} draws from all classes; for one, draw from {one!r}",
            sampler=sampler.name, one=SAMPLERS["class"].name,
        )  # fmt: skip
    if request.label is not None and request.label >= count:
        raise BadValue(
            "there is no class number {number}; there are {count}, starting at 0", number=request.label, count=count
        )


def _check_class(run: Run, model: Autoencoder, request: SampleRequest, known: Codes) -> None:
    """Reject a class with too few images; a conditional network needs just one."""
    if request.label is None:
        return
    count = int((known.labels == request.label).sum())
    fewest = 1 if isinstance(model, ConditionalVAE) else FEWEST
    if count < fewest:
        raise BadValue(
            "there {be} of the class {name}; sampling it takes {fewest} or more",
            name=run.config().data.classes[request.label], be="is 1 image" if count else "are no images", fewest=fewest,
        )  # fmt: skip


def _no_codes(model: Autoencoder) -> Codes:
    none = np.empty(0, np.int64)
    return Codes(np.empty((0, model.latent_dim), np.float32), none, none)


def _most_alike(z: np.ndarray, x_hat: np.ndarray, known: Codes, dataset: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The row (n,) and distance (n,) of the nearest image in pixels among those of the 20 nearest codes."""
    candidates = known.index[nearest(known.z, z, CANDIDATES)[1]]  # (n, 20)
    distances = np.empty(candidates.shape)
    for number, rows in enumerate(candidates):
        others = np.asarray(dataset.images[rows]).astype(np.float32) / np.float32(255)
        distances[number] = np.square(others - x_hat[number]).mean(axis=(1, 2, 3))
    best = distances.argmin(axis=1)[:, None]
    return np.take_along_axis(candidates, best, 1)[:, 0], np.take_along_axis(distances, best, 1)[:, 0]

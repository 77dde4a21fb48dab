"""Samplers of new codes: from the prior, from a density fitted to codes, or near existing codes."""

from typing import Any, ClassVar, NamedTuple

import numpy as np
from pydantic import Field

from aeviz.config import Settings
from aeviz.errors import BadValue
from aeviz.latent.neighbours import own_nearest
from aeviz.latent.sampling.mixture import Mixture
from aeviz.models.variants.cvae import ConditionalVAE
from aeviz.models.variants.vae import VAE
from aeviz.models.variants.wae_mmd import WassersteinAutoencoder

NEIGHBOURS = 5
CLASS_STREAM = 1  # separates the random stream of classes from that of codes
MAX_JITTERED = 10_000  # codes that jitter starts from


class SampleSettings(Settings):
    """Settings of all samplers; each reads the ones it needs."""

    components: int = Field(10, ge=1, le=100, description="Gaussians in the mixture (mixture and class only).")
    temperature: float = Field(
        1.0, ge=0.0, le=3.0,
        description="Scale of the deviation from the mean: lower is safer, higher is bolder.",
    )  # fmt: skip
    label: int | None = Field(
        None, ge=0, description="Number of the class to draw (class, and the prior of a conditional VAE only)."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the draw.")
    count: int = Field(64, ge=1, le=400, description="Number of samples.")


class Drawn(NamedTuple):
    """Codes z (n, D) float32, and labels (n,) for a conditional decoder."""

    z: np.ndarray
    labels: np.ndarray | None = None


Fitted = dict[str, np.ndarray]


class Sampler:
    """Draws codes in two steps: `fit`, whose arrays can be cached, and the fast `draw`."""

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]

    def available(self, model: Any, labels: np.ndarray) -> bool:
        """Whether the sampler applies to this model and labels (N,), -1 unknown."""
        return True

    def needs_codes(self, model: Any) -> bool:
        """Whether `fit` needs the codes or labels of images."""
        return True

    def takes_label(self, model: Any) -> bool:
        """Whether the sampler can draw a single class."""
        return False

    def fit_settings(self, settings: SampleSettings) -> dict[str, Any]:
        """The settings that `fit` depends on."""
        return {}

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        """Fit to codes (N, D) with labels (N,), which for a conditional network are those it was conditioned on.

        Raises:
            BadValue: the sampler cannot be fitted to these codes.
        """
        raise NotImplementedError

    def draw(self, fitted: Fitted, settings: SampleSettings, count: int) -> Drawn:
        """Draw `count` codes (n, D), reproducible by seed; `settings.count` is ignored here."""
        raise NotImplementedError

    def sample(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Drawn:
        """Fit to codes (N, D) with labels (N,), then draw `settings.count` codes (n, D).

        Raises:
            BadValue: the sampler cannot be fitted to these codes.
        """
        return self.draw(self.fit(codes, labels, model, settings), settings, settings.count)


class Prior(Sampler):
    """The prior N(0, 1) of training; a conditional VAE also draws classes by their frequency."""

    name = "prior"
    label = "Prior"
    help = "N(0, 1), the prior this kind of autoencoder is trained with."

    def available(self, model: Any, labels: np.ndarray) -> bool:
        """Whether the run's model has a prior."""
        return isinstance(model, VAE | WassersteinAutoencoder)

    def needs_codes(self, model: Any) -> bool:
        """Whether codes of images are needed to fit it."""
        return isinstance(model, ConditionalVAE)

    def takes_label(self, model: Any) -> bool:
        """Whether it can sample one class."""
        return isinstance(model, ConditionalVAE)

    def fit_settings(self, settings: SampleSettings) -> dict[str, Any]:
        """The settings that change what is fitted."""
        return {"label": settings.label}

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        """Keep the labels (N,) for a conditional model; the prior N(0, 1) itself has nothing to fit."""
        if not self.available(model, labels):
            raise BadValue("the variant {label} has no prior to draw from; use the mixture sampler", label=model.label)
        known = _classes(labels, model).get("known", np.empty(0, np.int64))
        if len(known) and settings.label is not None:
            known = known[known == settings.label][:1]
            if not len(known):
                raise BadValue("no image is of the class to draw; choose another class")
        return {"dimensions": np.array(model.latent_dim), "known": known}

    def draw(self, fitted: Fitted, settings: SampleSettings, count: int) -> Drawn:
        """Codes (N, D) drawn from the prior, with labels (N,) for a conditional model."""
        generator = np.random.default_rng(settings.seed)
        z = settings.temperature * generator.normal(size=(count, int(fitted["dimensions"])))
        return Drawn(z.astype(np.float32), _class_draws(fitted, generator, count))


class OneGaussian(Sampler):
    """The Gaussian with the mean and covariance of the codes."""

    name = "gaussian"
    label = "One Gaussian"
    help = "A single Gaussian with the mean and covariance of all codes."

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        """Fit one Gaussian to codes (N, D)."""
        return Mixture.fit(codes, 1).state() | _classes(labels, model)

    def draw(self, fitted: Fitted, settings: SampleSettings, count: int) -> Drawn:
        """Codes (N, D) drawn from the fitted Gaussian."""
        mixture = Mixture(fitted["weights"], fitted["means"], fitted["factors"])
        z = mixture.draw(count, settings.temperature, settings.seed)
        return Drawn(z, _class_draws(fitted, np.random.default_rng([settings.seed, CLASS_STREAM]), count))


class GaussianMixture(OneGaussian):
    """A mixture of Gaussians fitted after the training (ex-post density estimation; Ghosh et al., ICLR 2020)."""

    name = "mixture"
    label = "Mixture of Gaussians"
    help = "Several Gaussians fitted to up to 20,000 codes: the best general choice for every kind of autoencoder."

    def fit_settings(self, settings: SampleSettings) -> dict[str, Any]:
        """The settings that change what is fitted: the number of components."""
        return {"components": settings.components}

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        """Fit a mixture of Gaussians to codes (N, D) by expectation-maximisation."""
        return Mixture.fit(codes, settings.components).state() | _classes(labels, model)


class Jitter(Sampler):
    """Interpolates between a code and one of its 5 nearest (SMOTE; Chawla et al., JAIR 2002)."""

    name = "jitter"
    label = "Beside an image"
    help = "Between the code of an image and one of its nearest neighbours: safe, but close to copies."

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        """Keep the codes (N, D) around which to draw."""
        if len(codes) < 2:
            raise BadValue("jitter needs neighbours, and there are only {count} codes; use 2 or more", count=len(codes))
        drawn = np.sort(np.random.default_rng(0).permutation(len(codes))[:MAX_JITTERED])
        neighbours = own_nearest(codes[drawn], NEIGHBOURS)[1]
        return {"codes": codes[drawn], "neighbours": neighbours} | (
            {"told": labels[drawn]} if isinstance(model, ConditionalVAE) else {}
        )

    def draw(self, fitted: Fitted, settings: SampleSettings, count: int) -> Drawn:
        """Codes (N, D) drawn around the code of one image."""
        generator = np.random.default_rng(settings.seed)
        codes, neighbours = fitted["codes"], fitted["neighbours"]
        rows = generator.integers(len(codes), size=count)
        others = neighbours[rows, generator.integers(neighbours.shape[1], size=count)]
        part = settings.temperature * generator.random((count, 1), dtype=np.float32)
        z = codes[rows] + part * (codes[others] - codes[rows])
        return Drawn(z.astype(np.float32), fitted["told"][rows] if "told" in fitted else None)


class OneClass(Sampler):
    """A mixture fitted to one class; a conditional VAE draws from its prior, conditioned on the class."""

    name = "class"
    label = "One class"
    help = "Samples of a single class."

    def available(self, model: Any, labels: np.ndarray) -> bool:
        """Whether the run's images have classes."""
        return bool((labels >= 0).any())

    def takes_label(self, model: Any) -> bool:
        """Whether it can sample one class: that is all it does."""
        return True

    def fit_settings(self, settings: SampleSettings) -> dict[str, Any]:
        """The settings that change what is fitted: class and number of components."""
        return {"label": settings.label, "components": settings.components}

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        """Fit a mixture to the codes of one class, given codes (N, D) and labels (N,)."""
        if settings.label is None:
            raise BadValue("no class number given; choose the class to draw from")
        if isinstance(model, ConditionalVAE):
            return SAMPLERS["prior"].fit(codes, labels, model, settings)
        own = codes[labels == settings.label]
        return Mixture.fit(own, min(settings.components, max(1, len(own) // MIN_EACH))).state()

    def draw(self, fitted: Fitted, settings: SampleSettings, count: int) -> Drawn:
        """Codes (N, D) drawn from the class's mixture, or from the prior given the class."""
        source = SAMPLERS["prior" if "known" in fitted else "mixture"]
        return source.draw(fitted, settings, count)


def _classes(labels: np.ndarray, model: Any) -> Fitted:
    """The known labels, for a conditional network; otherwise empty."""
    return {"known": labels[labels >= 0]} if isinstance(model, ConditionalVAE) else {}


def _class_draws(fitted: Fitted, generator: np.random.Generator, count: int) -> np.ndarray | None:
    """Draw `count` classes by their frequency."""
    known = fitted.get("known", ())
    return generator.choice(known, count) if len(known) else None


MIN_EACH = 20  # images per Gaussian in the mixture of a class

SAMPLERS: dict[str, Sampler] = {
    sampler.name: sampler for sampler in (GaussianMixture(), OneGaussian(), Prior(), Jitter(), OneClass())
}

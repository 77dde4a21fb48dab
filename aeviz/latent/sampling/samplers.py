"""New codes drawn at random: from the prior, from what was fitted to the codes of images, or from beside one of them."""

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
CLASS_STREAM = 1  # tells the draw of classes from that of codes of the same seed
MAX_JITTERED = 10_000  # codes that jitter begins at


class SampleSettings(Settings):
    """What is drawn; a sampler reads what concerns it."""

    components: int = Field(10, ge=1, le=100, description="Gaussians in a mixture (mixture and class only).")
    temperature: float = Field(
        1.0, ge=0.0, le=3.0,
        description="How far draws stray from the middle of what they are drawn from: less is safer, more is bolder.",
    )  # fmt: skip
    label: int | None = Field(
        None, ge=0, description="Number of the class to draw (class, and the prior of a conditional VAE only)."
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Another seed draws others.")
    count: int = Field(64, ge=1, le=400, description="How many are drawn.")


class Drawn(NamedTuple):
    """Codes z (n, D) float32, and the labels (n,) a conditional decoder is to be told."""

    z: np.ndarray
    labels: np.ndarray | None = None


Fitted = dict[str, np.ndarray]


class Sampler:
    """A source of codes in two steps: `fit`, whose arrays can be kept, and `draw`, which is quick."""

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str]

    def available(self, model: Any, labels: np.ndarray) -> bool:
        """Whether it makes sense for this model and images with these labels (N,), -1 unknown."""
        return True

    def needs_codes(self, model: Any) -> bool:
        """Whether it is fitted to the codes or labels of images."""
        return True

    def takes_label(self, model: Any) -> bool:
        """Whether it can draw a single class."""
        return False

    def fit_settings(self, settings: SampleSettings) -> dict[str, Any]:
        """The settings that decide what is fitted."""
        return {}

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        """What to draw from, of codes (N, D) with labels (N,), for a conditional network those that it was told.

        Raises:
            BadValue: nothing can be fitted to them.
        """
        raise NotImplementedError

    def draw(self, fitted: Fitted, settings: SampleSettings, count: int) -> Drawn:
        """So many codes (n, D), the same for the same seed; the count of the settings is for `sample`."""
        raise NotImplementedError

    def sample(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Drawn:
        """Codes (n, D) drawn from what codes (N, D) with labels (N,) are like.

        Raises:
            BadValue: nothing can be fitted to them.
        """
        return self.draw(self.fit(codes, labels, model, settings), settings, settings.count)


class Prior(Sampler):
    """N(0, 1), which the training held the codes to; a conditional VAE also draws a class, as often as it is seen."""

    name = "prior"
    label = "Prior"
    help = "N(0, 1), what this kind of autoencoder packs its codes into."

    def available(self, model: Any, labels: np.ndarray) -> bool:
        return isinstance(model, VAE | WassersteinAutoencoder)

    def needs_codes(self, model: Any) -> bool:
        return isinstance(model, ConditionalVAE)

    def takes_label(self, model: Any) -> bool:
        return isinstance(model, ConditionalVAE)

    def fit_settings(self, settings: SampleSettings) -> dict[str, Any]:
        return {"label": settings.label}

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        if not self.available(model, labels):
            raise BadValue("the kind {label} has no prior to draw from; draw from a mixture", label=model.label)
        known = _classes(labels, model).get("known", np.empty(0, np.int64))
        if len(known) and settings.label is not None:
            known = known[known == settings.label][:1]
            if not len(known):
                raise BadValue("no image is of the class to draw; choose another")
        return {"dimensions": np.array(model.latent_dim), "known": known}

    def draw(self, fitted: Fitted, settings: SampleSettings, count: int) -> Drawn:
        generator = np.random.default_rng(settings.seed)
        z = settings.temperature * generator.normal(size=(count, int(fitted["dimensions"])))
        return Drawn(z.astype(np.float32), _class_draws(fitted, generator, count))


class OneGaussian(Sampler):
    """The Gaussian with the mean and covariance of the codes."""

    name = "gaussian"
    label = "One Gaussian"
    help = "A single cloud with the mean and the spread of all codes."

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        return Mixture.fit(codes, 1).state() | _classes(labels, model)

    def draw(self, fitted: Fitted, settings: SampleSettings, count: int) -> Drawn:
        mixture = Mixture(fitted["weights"], fitted["means"], fitted["factors"])
        z = mixture.draw(count, settings.temperature, settings.seed)
        return Drawn(z, _class_draws(fitted, np.random.default_rng([settings.seed, CLASS_STREAM]), count))


class GaussianMixture(OneGaussian):
    """A mixture of Gaussians fitted after the training (ex-post density estimation; Ghosh et al., ICLR 2020)."""

    name = "mixture"
    label = "Mixture of Gaussians"
    help = "Several clouds fitted to the codes: the best guess at where images lie, for every kind of autoencoder. Fitted to up to 20,000."

    def fit_settings(self, settings: SampleSettings) -> dict[str, Any]:
        return {"components": settings.components}

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        return Mixture.fit(codes, settings.components).state() | _classes(labels, model)


class Jitter(Sampler):
    """Places between a code and one of its 5 nearest (SMOTE; Chawla et al., JAIR 2002)."""

    name = "jitter"
    label = "Beside an image"
    help = "Somewhere between the code of an image and one of its nearest: safe, and close to copies."

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        if len(codes) < 2:
            raise BadValue("there is nothing beside {count} codes; it takes 2 or more", count=len(codes))
        drawn = np.sort(np.random.default_rng(0).permutation(len(codes))[:MAX_JITTERED])
        neighbours = own_nearest(codes[drawn], NEIGHBOURS)[1]
        return {"codes": codes[drawn], "neighbours": neighbours} | (
            {"told": labels[drawn]} if isinstance(model, ConditionalVAE) else {}
        )

    def draw(self, fitted: Fitted, settings: SampleSettings, count: int) -> Drawn:
        generator = np.random.default_rng(settings.seed)
        codes, neighbours = fitted["codes"], fitted["neighbours"]
        rows = generator.integers(len(codes), size=count)
        others = neighbours[rows, generator.integers(neighbours.shape[1], size=count)]
        part = settings.temperature * generator.random((count, 1), dtype=np.float32)
        z = codes[rows] + part * (codes[others] - codes[rows])
        return Drawn(z.astype(np.float32), fitted["told"][rows] if "told" in fitted else None)


class OneClass(Sampler):
    """A mixture fitted to one class; a conditional VAE is told the class instead and draws from its prior."""

    name = "class"
    label = "One class"
    help = "What images of one class are like."

    def available(self, model: Any, labels: np.ndarray) -> bool:
        return bool((labels >= 0).any())

    def takes_label(self, model: Any) -> bool:
        return True

    def fit_settings(self, settings: SampleSettings) -> dict[str, Any]:
        return {"label": settings.label, "components": settings.components}

    def fit(self, codes: np.ndarray, labels: np.ndarray, model: Any, settings: SampleSettings) -> Fitted:
        if settings.label is None:
            raise BadValue("choose the class to draw from; its number is missing")
        if isinstance(model, ConditionalVAE):
            return SAMPLERS["prior"].fit(codes, labels, model, settings)
        own = codes[labels == settings.label]
        return Mixture.fit(own, min(settings.components, max(1, len(own) // MIN_EACH))).state()

    def draw(self, fitted: Fitted, settings: SampleSettings, count: int) -> Drawn:
        source = SAMPLERS["prior" if "known" in fitted else "mixture"]
        return source.draw(fitted, settings, count)


def _classes(labels: np.ndarray, model: Any) -> Fitted:
    """The labels that are known, for a network that is to be told them."""
    return {"known": labels[labels >= 0]} if isinstance(model, ConditionalVAE) else {}


def _class_draws(fitted: Fitted, generator: np.random.Generator, count: int) -> np.ndarray | None:
    """So many classes, each as often as it was seen."""
    known = fitted.get("known", ())
    return generator.choice(known, count) if len(known) else None


MIN_EACH = 20  # images of a class for each Gaussian of its mixture

SAMPLERS: dict[str, Sampler] = {
    sampler.name: sampler for sampler in (GaussianMixture(), OneGaussian(), Prior(), Jitter(), OneClass())
}

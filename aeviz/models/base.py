"""The contract every autoencoder keeps: encode, decode, and losses by name."""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor, nn

from aeviz.config import Settings
from aeviz.models.layers import BODIES, Body, DenseConfig
from aeviz.models.losses import LOSSES
from aeviz.models.posterior import Gaussian

MOST_PIXELS = 65_536  # along one side of a sample


@dataclass(frozen=True)
class Batch:
    """What a step sees: x (B, ...) as fed, target (B, ...) as wanted, both in [0, 1]; labels (B,), -1 unknown."""

    x: Tensor
    target: Tensor
    labels: Tensor | None = None


class ModelConfig(Settings):
    """What every variant can choose; a variant adds its own."""

    variant: str
    sample_shape: tuple[Annotated[int, Field(ge=1, le=MOST_PIXELS)], ...] = Field(
        min_length=1, max_length=3, description="Shape of one sample, (C, H, W) for images."
    )
    latent_dim: int = Field(32, ge=1, le=512, description="How many numbers the code of an image has.")
    body: Body = Field(DenseConfig(), description="The layers between image and code.")


class Autoencoder(nn.Module):
    """Squeezes x through latent_dim numbers and rebuilds it (Hinton & Salakhutdinov, Science 2006).

    The plain one, whose only constraint is the narrow code; every variant overrides what differs.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    summary: ClassVar[str]
    usual_loss: ClassVar[str] = "mse"  # what the form proposes
    Config: ClassVar[type[ModelConfig]]
    config: ModelConfig

    def __init__(self, config: ModelConfig, loss: str = "mse") -> None:
        super().__init__()
        self.config = config
        self.loss = loss
        body = BODIES[config.body.name]
        self.encoder = body.encoder(config.body, config.sample_shape, self.encoder_features())  # type: ignore[arg-type]
        self.decoder = body.decoder(config.body, config.sample_shape, config.latent_dim)  # type: ignore[arg-type]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self.config.sample_shape

    @property
    def latent_dim(self) -> int:
        """Numbers per code, D."""
        return self.config.latent_dim

    def encoder_features(self) -> int:
        """How many numbers the encoder puts out: D, or more for variants that describe a distribution."""
        return self.config.latent_dim

    def encode(self, x: Tensor) -> Tensor | Gaussian:
        """From x (B, ...) in [0, 1] to z (B, D), or to a posterior over it."""
        return self.encoder(x)

    def code(self, x: Tensor) -> Tensor:
        """*The* code (B, D) of x: z itself, or its posterior's mode."""
        return mode(self.encode(x))

    def decode(self, z: Tensor | Gaussian, labels: Tensor | None = None) -> Tensor:
        """From z (B, D), or the mode of a posterior, to the mean x_hat (B, ...) in [0, 1]."""
        return self.decoder(mode(z)).sigmoid()

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Named terms, per image and averaged over the batch; `total` is the one to minimise."""
        reconstruction = self.reconstruction(self.code(batch.x), batch.target)
        return {"reconstruction": reconstruction, "total": reconstruction}

    def reconstruction(self, z: Tensor, target: Tensor) -> Tensor:
        """The reconstruction loss of codes z (B, D) against target (B, ...)."""
        return LOSSES[self.loss].of(self.decoder(z), target)


def mode(encoded: Tensor | Gaussian) -> Tensor:
    """The code itself, whether it comes alone or as a posterior."""
    return encoded.mode if isinstance(encoded, Gaussian) else encoded

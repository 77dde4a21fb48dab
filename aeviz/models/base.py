"""The contract every autoencoder keeps: encode, decode, and losses by name."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from aeviz.config import Settings
from aeviz.errors import BadValue
from aeviz.models.bodies.blocks import Standardise
from aeviz.models.bodies.build import make_decoder, make_encoder
from aeviz.models.bodies.initialisation import initialise
from aeviz.models.bodies.settings import Body, DenseConfig
from aeviz.models.losses import LOSSES
from aeviz.models.posterior import Gaussian

MOST_PIXELS = 65_536  # along one side of a sample


@dataclass(frozen=True)
class Batch:
    """What a step sees: x (B, ...) as fed, target (B, ...) as wanted, both in [0, 1]; labels (B,), -1 unknown.

    `part` is (first, end, whole) where this is one process's share of a batch that several work on together.
    """

    x: Tensor
    target: Tensor
    labels: Tensor | None = None
    part: tuple[int, int, int] | None = None

    def normal_like(self, value: Tensor) -> Tensor:
        """Draws from N(0, 1) shaped like value (B, ...), the same whoever else works on the batch."""
        if self.part is None:
            return torch.randn_like(value)
        first, end, whole = self.part
        return torch.randn((whole, *value.shape[1:]), dtype=value.dtype, device=value.device)[first:end]

    def uniform_like(self, value: Tensor) -> Tensor:
        """Draws from [0, 1) shaped like value (B, ...), the same whoever else works on the batch."""
        if self.part is None:
            return torch.rand_like(value)
        first, end, whole = self.part
        return torch.rand((whole, *value.shape[1:]), dtype=value.dtype, device=value.device)[first:end]


class ModelConfig(Settings):
    """What every variant can choose; a variant adds its own."""

    variant: str
    sample_shape: tuple[Annotated[int, Field(ge=1, le=MOST_PIXELS)], ...] = Field(
        min_length=1, max_length=3, description="Shape of one sample, (C, H, W) for images."
    )
    latent_dim: int = Field(32, ge=1, le=512, description="How many numbers the code of an image has.")
    body: Body = Field(DenseConfig(), description="The layers between image and code.")
    init: Literal["torch", "xavier", "he", "normal"] = Field(
        "torch", description="How weights begin: torch's own way, Xavier, He, or N(0, 1/sqrt(n)) of n inputs."
    )
    tied: bool = Field(
        False,
        description="The decoder uses the encoder's weights, transposed: of dense layers and convolutions, and of the "
        "code unless it is a distribution.",
    )
    standardise: bool = Field(
        False, description="Subtract the training images' mean and divide by their deviation before the encoder."
    )
    grey_levels: int = Field(
        32, ge=2, le=256, description="Levels of brightness told apart (categorical cross-entropy only)."
    )


class LiveSettings(nn.Module):
    """The live settings of a variant as scalars on the device, which a running training may turn; never saved.

    `warmth` is among them: 1, but in a training where a variant's `advance` lets a term rise from 0.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self._warmup = 1.0
        self.register_buffer("warmup", torch.ones(()), persistent=False)
        for name in config.live_fields():
            self.register_buffer(name, torch.tensor(float(getattr(config, name))), persistent=False)

    def __getitem__(self, name: str) -> Tensor:
        return self.get_buffer(name)

    def set_warmup(self, share: float) -> None:
        """Set `warmth`; asked at every step, it gives the device work only where it changes."""
        if share != self._warmup:
            self._warmup = share
            self["warmup"].fill_(share)


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
        """Raises: BadValue, for layers or a loss that do not fit the samples."""
        super().__init__()
        self.config = config
        self.loss = loss
        self.live = LiveSettings(config)
        features = self.encoder_features()
        self.encoder = make_encoder(config.body, config.sample_shape, features, config.standardise)
        tied_to = self.encoder if config.tied else None
        self.decoder = make_decoder(config.body, self.logits_shape(), self.decoder_features(), tied_to)
        initialise(self, config.init)

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return self.config.sample_shape

    @property
    def latent_dim(self) -> int:
        """Numbers per code, D."""
        return self.config.latent_dim

    @property
    def n_classes(self) -> int:
        """Classes that encoder and decoder are told of, K; 0 for those that are told none."""
        return 0

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Tell a network that standardises the training images' mean (C,) and deviation (C,); others need none."""
        for module in self.encoder:
            if isinstance(module, Standardise):
                module.set_statistics(mean, std)

    def set_live(self, name: str, value: float) -> None:
        """Turn one of the variant's live settings; it acts on the next step."""
        self.config = self.config.model_copy(update={name: value})
        self.live[name].fill_(value)

    def advance(self, epochs: float) -> None:
        """Hear how many epochs of the training are done, before every step; for terms that warm up."""

    def encoder_features(self) -> int:
        """How many numbers the encoder puts out: D, or more for variants that describe a distribution."""
        return self.config.latent_dim

    def decoder_features(self) -> int:
        """How many numbers the decoder takes: D, or more for variants that tell it more than the code."""
        return self.config.latent_dim

    def logits_shape(self) -> tuple[int, ...]:
        """What the decoder puts out for one sample: its shape, or L times as many channels for L grey levels.

        Raises:
            BadValue: the loss compares images, and the samples are none.
        """
        loss, (first, *others) = LOSSES[self.loss], self.sample_shape
        if loss.images_only and len(others) != 2:
            raise BadValue(
                "the loss {loss} compares images, not samples of shape {shape}; take another, mse for one",
                loss=self.loss, shape=self.sample_shape,
            )  # fmt: skip
        return (first * self.config.grey_levels if loss.by_level else first, *others)

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Tensor | Gaussian:
        """From x (B, ...) in [0, 1] to z (B, D), or to a posterior over it.

        Networks that are told the class take labels (B,), -1 unknown, or shares of the classes and of "unknown"
        (B, K + 1); so does `decode`. The others do not mind them.
        """
        return self.encoder(x)

    def code(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """*The* code (B, D) of x: z itself, or its posterior's mode."""
        return mode(self.encode(x, labels))

    def decode(self, z: Tensor | Gaussian, labels: Tensor | None = None) -> Tensor:
        """From z (B, D), or the mode of a posterior, to the mean x_hat (B, ...) in [0, 1]."""
        return self.decode_fed(self.decoder_input(mode(z), labels))

    def decoder_input(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """What the decoder is fed for codes z (B, D): first D numbers that stand for the codes, or are them.

        For some variants they are snapped, for some the labels follow.
        """
        return z

    def decode_fed(self, fed: Tensor) -> Tensor:
        """From what the decoder is fed to the mean x_hat (B, ...) in [0, 1]; smooth even where codes are snapped."""
        return LOSSES[self.loss].mean(self.logits(fed))

    def logits(self, fed: Tensor) -> Tensor:
        """What the decoder makes of its input: (B, ...), or (B, L, ...) for L grey levels; always float32."""
        return self._as_logits(self.decoder(fed))

    def _as_logits(self, output: Tensor) -> Tensor:
        """The decoder's output (B, ...) as float32, split by grey level where the loss wants it so."""
        output = output.float()
        return output.unflatten(1, (self.config.grey_levels, -1)) if LOSSES[self.loss].by_level else output

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Named terms, per image and averaged over the batch; `total` is the one to minimise."""
        reconstruction = self.reconstruction(self.code(batch.x), batch.target)
        return {"reconstruction": reconstruction, "total": reconstruction}

    def evaluate(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """The terms of a batch outside training, and the mean x_hat (B, ...) that they judge, by one forward pass."""
        outputs: list[Tensor] = []
        hook = self.decoder.register_forward_hook(lambda module, inputs, output: outputs.append(output))
        try:
            terms = self.losses(batch)
        finally:
            hook.remove()
        return terms, LOSSES[self.loss].mean(self._as_logits(outputs[-1]))

    def reconstruction(self, fed: Tensor, target: Tensor) -> Tensor:
        """The reconstruction loss of what the decoder is fed, codes as a rule, against target (B, ...)."""
        return LOSSES[self.loss].of(self.logits(fed), target)


def mode(encoded: Tensor | Gaussian) -> Tensor:
    """The code itself, whether it comes alone or as a posterior."""
    return encoded.mode if isinstance(encoded, Gaussian) else encoded

"""The base class of all autoencoders: encode, decode, and named losses."""

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
    """A training batch: input x (B, ...) and target (B, ...), both in [0, 1]; labels (B,), -1 for unknown.

    In distributed training, `part` is this process's shard (first, end, whole) of the global batch.
    """

    x: Tensor
    target: Tensor
    labels: Tensor | None = None
    part: tuple[int, int, int] | None = None

    def normal_like(self, value: Tensor) -> Tensor:
        """Draws from N(0, 1) shaped like value (B, ...), independent of how the batch is sharded."""
        if self.part is None:
            return torch.randn_like(value)
        first, end, whole = self.part
        return torch.randn((whole, *value.shape[1:]), dtype=value.dtype, device=value.device)[first:end]

    def uniform_like(self, value: Tensor) -> Tensor:
        """Draws from U[0, 1) shaped like value (B, ...), independent of how the batch is sharded."""
        if self.part is None:
            return torch.rand_like(value)
        first, end, whole = self.part
        return torch.rand((whole, *value.shape[1:]), dtype=value.dtype, device=value.device)[first:end]


class ModelConfig(Settings):
    """Settings of every variant; variants add their own."""

    variant: str
    sample_shape: tuple[Annotated[int, Field(ge=1, le=MOST_PIXELS)], ...] = Field(
        min_length=1, max_length=3, description="Shape of one sample, (C, H, W) for images."
    )
    latent_dim: int = Field(32, ge=1, le=512, description="Dimension of the code.")
    body: Body = Field(DenseConfig(), description="The layers between image and code.")
    init: Literal["torch", "xavier", "he", "normal"] = Field(
        "torch", description="Weight initialisation: torch's default, Xavier, He, or N(0, 1/sqrt(n)) for n inputs."
    )
    tied: bool = Field(
        False,
        description="The decoder uses the encoder's transposed weights, in dense layers and convolutions, and in the "
        "code layer unless the code is a distribution.",
    )
    standardise: bool = Field(
        False, description="Subtract the training images' mean and divide by their deviation before the encoder."
    )
    grey_levels: int = Field(32, ge=2, le=256, description="Number of grey levels (categorical cross-entropy only).")


class LiveSettings(nn.Module):
    """A variant's live settings as scalar buffers, which a running training may change; never saved.

    Also holds `warmup`: 1, or less while a variant's `advance` warms up a term of the loss from 0.
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
        """Set `warmup`; called at every step, it writes to the device only if the value changes."""
        if share != self._warmup:
            self._warmup = share
            self["warmup"].fill_(share)


class Autoencoder(nn.Module):
    """Encodes x as latent_dim numbers and reconstructs it (Hinton & Salakhutdinov, Science 2006).

    The base class is the plain autoencoder, constrained only by the small code; variants override what differs.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    summary: ClassVar[str]
    usual_loss: ClassVar[str] = "mse"  # default on the training form
    Config: ClassVar[type[ModelConfig]]
    config: ModelConfig

    def __init__(self, config: ModelConfig, loss: str = "mse") -> None:
        """Raises: BadValue, if the layers or the loss do not fit the samples."""
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
        """Dimension of the code, D."""
        return self.config.latent_dim

    @property
    def n_classes(self) -> int:
        """Number of classes K that encoder and decoder are conditioned on; 0 if unconditional."""
        return 0

    def set_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Set mean (C,) and standard deviation (C,) of the training images; ignored without `standardise`."""
        for module in self.encoder:
            if isinstance(module, Standardise):
                module.set_statistics(mean, std)

    def set_live(self, name: str, value: float) -> None:
        """Change a live setting of the variant, from the next step on."""
        self.config = self.config.model_copy(update={name: value})
        self.live[name].fill_(value)

    def advance(self, epochs: float) -> None:
        """Called before every step with the epochs done; for loss terms that warm up."""

    def encoder_features(self) -> int:
        """Number of encoder outputs: D, or more for variants that parameterise a distribution."""
        return self.config.latent_dim

    def decoder_features(self) -> int:
        """Number of decoder inputs: D, or more for variants that condition it on labels."""
        return self.config.latent_dim

    def logits_shape(self) -> tuple[int, ...]:
        """Shape of the decoder's output for one sample: its own, with L times the channels for L grey levels.

        Raises:
            BadValue: the loss needs images, and the samples are not images.
        """
        loss, (first, *others) = LOSSES[self.loss], self.sample_shape
        if loss.images_only and len(others) != 2:
            raise BadValue(
                "the loss {loss} compares images, not samples of shape {shape}; use another one, such as mse",
                loss=self.loss, shape=self.sample_shape,
            )  # fmt: skip
        return (first * self.config.grey_levels if loss.by_level else first, *others)

    def encode(self, x: Tensor, labels: Tensor | None = None) -> Tensor | Gaussian:
        """Map x (B, ...) in [0, 1] to z (B, D), or to a posterior over z.

        Conditional networks take labels (B,), -1 for unknown, or class weights including "unknown" (B, K + 1); so
        does `decode`. Other networks ignore labels.
        """
        return self.encoder(x)

    def code(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        """The code (B, D) of x: z itself, or the mode of its posterior."""
        return mode(self.encode(x, labels))

    def decode(self, z: Tensor | Gaussian, labels: Tensor | None = None) -> Tensor:
        """Map z (B, D), or the mode of a posterior, to the mean reconstruction x_hat (B, ...) in [0, 1]."""
        return self.decode_fed(self.decoder_input(mode(z), labels))

    def decoder_input(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """The decoder's input for codes z (B, D); its first D numbers represent the code.

        Some variants quantise the code, some append the labels.
        """
        return z

    def decode_fed(self, fed: Tensor) -> Tensor:
        """Map the decoder's input to the mean x_hat (B, ...) in [0, 1]; smooth even if codes are quantised."""
        return LOSSES[self.loss].mean(self.logits(fed))

    def logits(self, fed: Tensor) -> Tensor:
        """The decoder's logits for its input: (B, ...), or (B, L, ...) for L grey levels; always float32."""
        return self._as_logits(self.decoder(fed))

    def _as_logits(self, output: Tensor) -> Tensor:
        """The decoder's output (B, ...) as float32, split by grey level if the loss needs it."""
        output = output.float()
        return output.unflatten(1, (self.config.grey_levels, -1)) if LOSSES[self.loss].by_level else output

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Named loss terms, per image and averaged over the batch; `total` is the one to minimise."""
        reconstruction = self.reconstruction(self.code(batch.x), batch.target)
        return {"reconstruction": reconstruction, "total": reconstruction}

    def evaluate(self, batch: Batch) -> tuple[dict[str, Tensor], Tensor]:
        """Loss terms of a batch outside training, and the mean reconstruction x_hat (B, ...), in one forward pass."""
        outputs: list[Tensor] = []
        hook = self.decoder.register_forward_hook(lambda module, inputs, output: outputs.append(output))
        try:
            terms = self.losses(batch)
        finally:
            hook.remove()
        return terms, LOSSES[self.loss].mean(self._as_logits(outputs[-1]))

    def reconstruction(self, fed: Tensor, target: Tensor) -> Tensor:
        """Reconstruction loss of a decoder input (usually codes) against target (B, ...)."""
        return LOSSES[self.loss].of(self.logits(fed), target)


def mode(encoded: Tensor | Gaussian) -> Tensor:
    """The code (B, D), given codes or a posterior."""
    return encoded.mode if isinstance(encoded, Gaussian) else encoded

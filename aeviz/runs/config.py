"""A run's settings: its data, model and training, and what was resolved when it started."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SerializeAsAny, field_validator, model_validator

from aeviz.config import LIVE, Settings
from aeviz.data import set_label
from aeviz.errors import AevizError
from aeviz.models import LOSSES, ModelConfig, model_config, variant
from aeviz.models.base import MOST_PIXELS

FORMAT: Literal[1] = 1


class DataConfig(Settings):
    """Which images, and their properties when the run was created."""

    name: str
    params: dict[str, Any] = Field(default_factory=dict)
    shape: tuple[Annotated[int, Field(ge=1, le=MOST_PIXELS)], ...] = Field(min_length=1, max_length=3)
    classes: tuple[str, ...] = ()
    hash: str
    splits: dict[str, int]


class AugmentConfig(Settings):
    """Random augmentation of training images, drawn independently for every image and step."""

    flip_horizontal: bool = Field(False, description="Mirror left and right, for every other image.")
    flip_vertical: bool = Field(False, description="Mirror up and down, for every other image.")
    shift: float = Field(
        0.0, ge=0.0, le=0.5, multiple_of=0.05, description="Move by up to this share of the side, in both directions."
    )
    rotation: float = Field(0.0, ge=0.0, le=180.0, multiple_of=5.0, description="Turn by up to this many degrees.")
    scale: float = Field(
        0.0, ge=0.0, le=0.5, multiple_of=0.05, description="Enlarge or shrink by up to this share of the size."
    )
    crop: float = Field(
        0.0, ge=0.0, le=0.5, multiple_of=0.05, description="Cut off up to this share of the area and enlarge the rest."
    )
    brightness: float = Field(
        0.0, ge=0.0, le=0.9, multiple_of=0.05, description="Lighten or darken by up to this share."
    )
    contrast: float = Field(
        0.0, ge=0.0, le=0.9, multiple_of=0.05, description="Raise or lower the contrast by up to this share."
    )


class TrainingConfig(Settings):
    """How the network is trained."""

    epochs: int = Field(5, ge=1, le=100_000, description="How often every training image is seen.")
    batch_size: int = Field(128, ge=2, le=65_536, description="Images per step.")
    loss: str = Field("mse", description="How a reconstruction is compared with its image.")
    optimizer: Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"] = Field(
        "adam", description="Which algorithm turns gradients into steps."
    )
    learning_rate: float = Field(1e-3, gt=0.0, le=10.0, description="Size of a step.", json_schema_extra=LIVE)
    momentum: float = Field(
        0.9, ge=0.0, lt=1.0, description="How much of the last step is kept (momentum and Nesterov only)."
    )
    schedule: Literal["constant", "step", "exponential", "cosine", "one_cycle", "plateau"] = Field(
        "constant", description="How the learning rate changes while training."
    )
    warmup: float = Field(0.0, ge=0.0, le=1000.0, description="Epochs in which the learning rate rises from zero.")
    decay: float = Field(
        0.5, gt=0.0, lt=1.0, description="What the learning rate is multiplied by (step, exponential and plateau only)."
    )
    decay_epochs: int = Field(
        5, ge=1, le=10_000,
        description="Epochs between two decays; for plateau, epochs without progress before one.",
    )  # fmt: skip
    clip: float = Field(0.0, ge=0.0, le=1e6, description="Largest gradient norm allowed; 0 means no clipping.")
    patience: int = Field(
        0, ge=0, le=10_000, description="Stop after this many epochs without progress on validation; 0 means never."
    )
    ema: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="Average the weights over steps with this decay, such as .999; 0 means no averaging.",
    )
    l1: float = Field(0.0, ge=0.0, le=100.0, description="L1 penalty on the weights.", json_schema_extra=LIVE)
    l2: float = Field(
        0.0, ge=0.0, le=100.0, description="L2 penalty on the weights (AdamW: decoupled weight decay).",
        json_schema_extra=LIVE,
    )  # fmt: skip
    augment: AugmentConfig = Field(AugmentConfig(), description="How training images are varied as they are fed.")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto takes bfloat16 for the matrix products where it was measured to be faster."
    )
    compile: bool = Field(False, description="Compile the network first (torch.compile): pays for long trainings.")
    threads: int = Field(0, ge=0, le=256, description="CPU threads; 0 leaves one core free.")
    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="auto takes CUDA where present, else the CPU.",
    )

    @field_validator("loss")
    @classmethod
    def _loss_is_registered(cls, name: str) -> str:
        if name not in LOSSES:
            raise ValueError(f"no loss is called {name!r}; there are: {', '.join(LOSSES)}")
        return name


class Resolved(Settings):
    """What was chosen at the start, and stays fixed when the run resumes."""

    device: str
    device_name: str
    precision: Literal["float32", "bfloat16"] = "float32"
    channels_last: bool = False  # memory layout of convolutions
    compile: bool = False
    graphs: bool = False  # steps are replayed as a CUDA graph
    plain: bool = False  # only torch's own float32 kernels, because a process of the run has crashed
    threads: int


def _to_model(values: Any) -> Any:
    """Let the registry find the settings' class; pydantic reports errors."""
    if not isinstance(values, dict):
        return values
    try:
        return model_config(values)
    except AevizError as error:
        raise ValueError(str(error)) from None


class RunConfig(Settings):
    """Everything needed to train the same network again."""

    format: Literal[1] = FORMAT
    id: str
    created: float = Field(ge=0.0, le=1e11)
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Same seed, same machine, same settings: same numbers.")
    versions: dict[str, str]
    data: DataConfig
    model: Annotated[SerializeAsAny[ModelConfig], BeforeValidator(_to_model)]
    training: TrainingConfig
    resolved: Resolved | None = None

    @model_validator(mode="after")
    def _network_fits_data(self) -> Self:
        if self.model.sample_shape != self.data.shape:
            raise ValueError(f"the network takes samples of {self.model.sample_shape}, the data have {self.data.shape}")
        return self

    def default_title(self) -> str:
        """The default title of a run with these settings."""
        return f"{variant(self.model.variant).label} {self.model.latent_dim} · {set_label(self.data.name)}"

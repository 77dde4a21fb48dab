"""What a run was asked to be: its data, model and training, and what was chosen at its start."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SerializeAsAny, field_validator, model_validator

from aeviz.config import Settings
from aeviz.errors import AevizError
from aeviz.models import LOSSES, ModelConfig, model_config
from aeviz.models.base import MOST_PIXELS

FORMAT: Literal[1] = 1


class DataConfig(Settings):
    """Which images, and what they were like when the run was made."""

    name: str
    params: dict[str, Any] = Field(default_factory=dict)
    shape: tuple[Annotated[int, Field(ge=1, le=MOST_PIXELS)], ...] = Field(min_length=1, max_length=3)
    classes: tuple[str, ...] = ()
    hash: str
    splits: dict[str, int]


class TrainingConfig(Settings):
    """How the network is trained."""

    epochs: int = Field(5, ge=1, le=100_000, description="How often every training image is seen.")
    batch_size: int = Field(128, ge=2, le=65_536, description="Images per step.")
    loss: str = Field("mse", description="How a reconstruction is compared with its image.")
    optimizer: Literal["adam", "sgd"] = Field("adam", description="Who turns gradients into steps.")
    learning_rate: float = Field(1e-3, gt=0.0, le=10.0, description="Size of a step.")
    momentum: float = Field(0.9, ge=0.0, lt=1.0, description="How much of the last step is kept (SGD only).")
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
    """What was chosen at the start, and is obeyed when the run goes on."""

    device: str
    device_name: str
    precision: Literal["float32"] = "float32"
    compile: bool = False
    threads: int


def _to_model(values: Any) -> Any:
    """Let the register find the settings' class; pydantic words what it says."""
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

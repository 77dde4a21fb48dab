"""Live settings: which of a training's settings can change while it runs, and reading and changing them."""

from typing import Any

from aeviz.config import override
from aeviz.errors import BadValue
from aeviz.runs import RunConfig


def live_paths(config: RunConfig) -> dict[str, float]:
    """The live settings of a training: dotted path -> current value."""
    training = {f"training.{name}": getattr(config.training, name) for name in config.training.live_fields()}
    model = {f"model.{name}": getattr(config.model, name) for name in config.model.live_fields()}
    return training | model | {"model.body.dropout": config.model.body.dropout}


def with_live_value(config: RunConfig, path: str, value: Any) -> RunConfig:
    """A copy of the settings with one live setting changed.

    Raises:
        BadValue: the path is not in `live_paths`, or its value is not allowed.
    """
    known = live_paths(config)
    if path not in known:
        raise BadValue("{path} cannot be changed while training; these can: {known}", path=path, known=", ".join(known))
    values = config.to_json()
    override(values, path.split("."), value)
    return RunConfig.parse(values)


def value_at(config: RunConfig, path: str) -> Any:
    """The value at a dotted path."""
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value

"""The base class of all settings: frozen, strict pydantic models; bounds are given once, in `Field(...)`."""

import json
from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from aeviz.errors import BadValue

# Marks a live setting, one that can be changed during training: `Field(..., json_schema_extra=LIVE)`.
LIVE: dict[str, Any] = {"live": True}
# Marks a setting that follows from the data; no form shows it.
FROM_DATA: dict[str, Any] = {"from_data": True}


class Settings(BaseModel):
    """Immutable settings that reject unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())

    @classmethod
    def parse(cls, values: Any) -> Self:
        """Validate values from a form, a file, a URL or `--set`.

        Raises:
            BadValue: names the field, its value and what is allowed.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise _worded(error, values) from None

    @classmethod
    def live_fields(cls) -> list[str]:
        """The names of the live settings."""
        return [name for name, field in cls.model_fields.items() if field.json_schema_extra == LIVE]

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return self.model_dump(mode="json")


def _worded(error: ValidationError, values: Any) -> BadValue:
    """The first fault of a pydantic error as one sentence (the others usually follow from it)."""
    fault = error.errors()[0]
    field = ".".join(_path(fault["loc"], values)) or "settings"
    if fault["type"] == "extra_forbidden":
        return BadValue("there is no setting {field}; remove it or check its spelling", field=field)
    if fault["type"] == "missing":
        return BadValue("the setting {field} is missing", field=field)
    return BadValue(
        "{field} = {value!r} is not allowed: {reason}", field=field, value=fault["input"], reason=_reason(fault)
    )


# Plain wording for pydantic's checks; error types missing here keep pydantic's message.
REASONS = {
    "greater_than_equal": "it must be at least {ge}",
    "greater_than": "it must be more than {gt}",
    "less_than_equal": "it must be at most {le}",
    "less_than": "it must be less than {lt}",
    "too_long": "there may be at most {max_length}",
    "too_short": "there must be at least {min_length}",
    "int_parsing": "it must be a whole number",
    "int_type": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "float_parsing": "it must be a number",
    "float_type": "it must be a number",
    "finite_number": "it must be a finite number",
    "literal_error": "it must be {expected}",
    "string_pattern_mismatch": "it does not have the form {pattern}",
}


def _reason(fault: Any) -> str:
    template = REASONS.get(fault["type"])
    return template.format(**fault.get("ctx", {})) if template else fault["msg"].removeprefix("Value error, ")


def _path(places: tuple[int | str, ...], values: Any) -> list[str]:
    """The location of a fault as the user would write it, without pydantic's tags for union members."""
    path = []
    for place in places:
        if isinstance(values, dict) and place not in values and place in values.values():
            continue
        path.append(str(place))
        inside = isinstance(values, dict) and place in values
        values = values[place] if inside else None
    return path


def read_overrides(pairs: Iterable[str]) -> list[tuple[list[str], Any]]:
    """Dotted paths and JSON values from `a.b=1` lines; a value that is not JSON is taken as text.

    Raises:
        BadValue: a line has no `=`.
    """
    overrides = []
    for pair in pairs:
        path, sign, text = pair.partition("=")
        if not sign or not path:
            raise BadValue("--set {pair!r} is not of the form path.to.setting=value", pair=pair)
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):  # not JSON, or numbers and brackets beyond its limits
            value = text
        overrides.append((path.split("."), value))
    return overrides


def override(values: dict[str, Any], path: list[str], value: Any) -> None:
    """Set one nested value in place.

    Raises:
        BadValue: the path leads through something that is not a group of settings.
    """
    *folders, last = path
    for folder in folders:
        values = values.setdefault(folder, {})
        if not isinstance(values, dict):
            raise BadValue("{path} cannot be set: {folder} holds no settings", path=".".join(path), folder=folder)
    values[last] = value

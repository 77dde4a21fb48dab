"""Settings refuse what they do not know, and say so in words."""

import pytest
from pydantic import Field

from aeviz.config import Settings, override, read_overrides
from aeviz.errors import BadValue


class Knobs(Settings):
    size: int = Field(4, ge=1, le=8)


@pytest.mark.parametrize(
    ("values", "said"),
    [({"size": 0}, "size = 0"), ({"size": "x"}, "size = 'x'"), ({"sise": 4}, "sise"), ({"size": float("nan")}, "size")],
)
def test_a_bad_value_names_the_field_and_the_value(values, said):
    with pytest.raises(BadValue, match=said):
        Knobs.parse(values)


def test_settings_cannot_change():
    with pytest.raises(ValueError, match="frozen"):
        Knobs().size = 5


def test_overrides_are_json_or_text():
    assert read_overrides(["a.b=1", "c=[2, 3]", "d=word", 'e="1"']) == [
        (["a", "b"], 1), (["c"], [2, 3]), (["d"], "word"), (["e"], "1"),
    ]  # fmt: skip
    with pytest.raises(BadValue, match=r"a\.b"):
        read_overrides(["a.b"])


def test_an_override_reaches_into_folders_and_refuses_values():
    values = {"a": {"b": 1}}
    override(values, ["a", "c", "d"], 2)
    assert values == {"a": {"b": 1, "c": {"d": 2}}}
    with pytest.raises(BadValue, match="holds no settings"):
        override(values, ["a", "b", "c"], 3)

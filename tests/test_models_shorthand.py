"""Lists of layers and their short notations."""

import pytest

from aeviz.models import BODIES, CustomConfig, LayerConfig
from aeviz.models.bodies.notation import CHOICES, shortened
from aeviz.models.bodies.settings import ConvConfig, DenseConfig, ResidualConfig


@pytest.mark.parametrize(
    "body",
    [DenseConfig(widths=(64, 8), norm="batch"), ConvConfig(channels=(8, 16), dropout=0.1), ResidualConfig(channels=(4,))],
    ids=["dense", "conv", "residual"],
)  # fmt: skip
def test_a_body_spelled_out_and_shortened_is_itself(body):
    assert shortened(body.as_custom()) == body


def test_the_short_notations_are_those_of_the_register():
    names = {type(shortened(BODIES[name].Config().as_custom())).model_fields["name"].default for name in BODIES}
    assert names == {"dense", "conv", "residual"}


@pytest.mark.parametrize(
    "layers",
    [
        [LayerConfig(kind="conv", size=8), LayerConfig(kind="dense", size=8)],
        [LayerConfig(kind="conv", size=8, stride=1)],
        [LayerConfig(kind="conv", size=8, kernel=5)],
        [LayerConfig(kind="dense", size=8, norm="batch")],
        [LayerConfig(kind="dense", size=8)] * 9,
        [LayerConfig(kind="conv", size=2048)],
        [LayerConfig(kind="pool")],
    ],
    ids=["mixed", "stride", "kernel", "own norm", "too many", "too wide", "pool"],
)
def test_what_no_short_notation_can_say_stays_a_list(layers):
    custom = CustomConfig(layers=tuple(layers))
    assert shortened(custom) == custom


def test_settings_without_meaning_do_not_keep_a_list_long():
    assert shortened(CustomConfig(layers=(LayerConfig(kind="dense", size=8, kernel=7),))) == DenseConfig(widths=(8,))


def test_every_kind_of_layer_says_what_it_can_choose():
    assert set(CHOICES) == set(LayerConfig.model_fields["kind"].annotation.__args__)
    assert all(set(names) < set(LayerConfig.model_fields) for names in CHOICES.values())

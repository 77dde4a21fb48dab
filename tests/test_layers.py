"""Any list of layers becomes an encoder and its mirror, or is refused at the layer that does not fit."""

import copy
import math

import pytest
import torch
from torch import nn

from aeviz.models import BadLayer, CustomConfig, LayerConfig, build, costs, model_config
from aeviz.models.bodies.blocks import Residual, TiedConvTranspose2d, TiedLinear, groups
from aeviz.models.bodies.build import BODIES, make_encoder
from aeviz.models.weights import load_model, save_model

MIXED = [
    {"kind": "conv", "size": 6, "kernel": 5, "stride": 1},
    {"kind": "pool", "stride": 3},
    {"kind": "residual", "size": 8, "stride": 2, "norm": "batch"},
    {"kind": "residual", "size": 8, "stride": 1},
    {"kind": "conv", "size": 5, "kernel": 4, "stride": 2, "activation": "tanh"},
    {"kind": "dense", "size": 20, "dropout": 0.5},
    {"kind": "dense", "size": 9, "norm": "group"},
]


def config(layers, shape=(1, 28, 28), variant="autoencoder", body=None, **settings):
    body = {"name": "custom", "layers": layers, **(body or {})}
    return model_config({"variant": variant, "sample_shape": shape, "latent_dim": 4, "body": body, **settings})


def make(layers, shape=(1, 28, 28), **settings):
    torch.manual_seed(0)
    return build(config(layers, shape, **settings)).eval()


def conv(size, **settings):
    return {"kind": "conv", "size": size, **settings}


def dense(size, **settings):
    return {"kind": "dense", "size": size, **settings}


def named(body, shape):
    model = build(model_config({"sample_shape": shape, "latent_dim": 3, "body": body}))
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


def test_a_dense_network_keeps_the_names_its_weights_have_on_disk():
    assert named({"name": "dense", "widths": [12, 7]}, (1, 9, 8)) == {
        "encoder.1.weight": (12, 72), "encoder.1.bias": (12,), "encoder.3.weight": (7, 12), "encoder.3.bias": (7,),
        "encoder.5.weight": (3, 7), "encoder.5.bias": (3,),
        "decoder.0.weight": (7, 3), "decoder.0.bias": (7,), "decoder.2.weight": (12, 7), "decoder.2.bias": (12,),
        "decoder.4.weight": (72, 12), "decoder.4.bias": (72,),
    }  # fmt: skip


def test_a_convolutional_network_keeps_the_names_its_weights_have_on_disk():
    assert named({"name": "conv", "channels": [4, 8], "norm": "layer", "dropout": 0.2}, (3, 9, 8)) == {
        "encoder.0.weight": (4, 3, 3, 3), "encoder.0.bias": (4,), "encoder.1.weight": (4,), "encoder.1.bias": (4,),
        "encoder.4.weight": (8, 4, 3, 3), "encoder.4.bias": (8,), "encoder.5.weight": (8,), "encoder.5.bias": (8,),
        "encoder.9.weight": (3, 48), "encoder.9.bias": (3,),
        "decoder.0.weight": (48, 3), "decoder.0.bias": (48,), "decoder.1.weight": (48,), "decoder.1.bias": (48,),
        "decoder.5.weight": (8, 4, 3, 3), "decoder.5.bias": (4,), "decoder.6.weight": (4,), "decoder.6.bias": (4,),
        "decoder.9.weight": (4, 3, 3, 3), "decoder.9.bias": (3,),
    }  # fmt: skip


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 9, 31), (3, 17, 10), (3, 33, 47), (1, 128, 101)], ids=str)
def test_layers_of_every_kind_are_mirrored_for_images_of_any_size(shape):
    layers = MIXED if min(shape[1:]) > 9 else MIXED[:4] + MIXED[5:]
    model = make(layers, shape)
    x = torch.rand(2, *shape)
    assert model.decode(model.code(x)).shape == x.shape


@pytest.mark.parametrize("kind", ["conv", "residual", "pool"])
@pytest.mark.parametrize("stride", [2, 3, 4])
@pytest.mark.parametrize("side", [8, 11, 28, 37])
def test_every_stride_comes_back_to_the_size_it_came_from(kind, stride, side):
    model = make([{"kind": kind, "size": 4, "stride": stride}], (2, side, side + 1))
    assert model.encoder[0](torch.rand(1, 2, side, side + 1)).shape[2] == math.ceil(side / stride)
    assert model.decode(torch.rand(1, 4)).shape == (1, 2, side, side + 1)


@pytest.mark.parametrize("name", BODIES)
def test_a_body_and_the_list_of_its_layers_are_the_same_network(name):
    kind = BODIES[name]
    body = kind.Config(activation="silu", norm="batch", dropout=0.1)
    listed = body.as_custom()
    assert isinstance(listed, CustomConfig)
    one, other = (make_encoder(each, (1, 28, 28), 5) for each in (body, listed))
    assert str(one) == str(other)
    assert kind.label
    assert kind.summary


def test_a_layer_may_choose_otherwise_than_its_body():
    model = make([dense(8), dense(6, activation="tanh", norm="batch", dropout=0.5)], body={"activation": "silu"})
    names = [type(module).__name__ for module in model.encoder]
    assert names == ["Flatten", "Linear", "SiLU", "Linear", "BatchNorm1d", "Tanh", "Dropout", "Linear"]
    mirrored = [type(module).__name__ for module in model.decoder]
    assert mirrored == ["Linear", "BatchNorm1d", "Tanh", "Dropout", "Linear", "SiLU", "Linear", "Unflatten"]


@pytest.mark.parametrize(("size", "count"), [(1, 1), (3, 1), (7, 1), (8, 2), (16, 4), (32, 8), (60, 6), (512, 8)])
def test_groups_divide_the_channels_and_hold_at_least_four(size, count):
    assert groups(size) == count


def test_a_residual_block_with_its_second_convolution_at_zero_is_its_shortcut():
    model = make([{"kind": "residual", "size": 3, "stride": 1}], (3, 8, 8))
    block = model.encoder[0]
    assert isinstance(block, Residual)
    nn.init.zeros_(block.second.weight)
    nn.init.zeros_(block.second.bias)
    x = torch.rand(2, 3, 8, 8)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize(
    ("layers", "shape", "row", "said"),
    [
        ([conv(8)] * 5, (1, 8, 8), 3, r"layer 4 \(convolution 8\): the image is a single pixel already .* at most 3"),
        ([{"kind": "pool", "stride": 4}] * 3, (1, 9, 9), 2, r"layer 3 \(pool\): .* single pixel .* at most 2"),
        ([conv(8), dense(9), conv(7)], (1, 8, 8), 2, r"layer 3 \(convolution 7\): it needs an image, but dense layer 2"),
        ([dense(9), conv(7)], (30,), 1, "dense layer 1"),
        ([conv(7)], (30,), 0, r"layer 1 \(convolution 7\): it needs images, and a sample here has the shape \(30,\)"),
        ([conv(8), conv(8), conv(4, kernel=5, stride=1)], (1, 8, 8), 2, "5 × 5 is too large .* 2 × 2 .* at most 3 × 3"),
        ([conv(8)] * 3 + [conv(8, kernel=2, stride=1)], (1, 8, 8), 3, "at most 1 × 1"),
        ([{"kind": "pool", "stride": 1}], (1, 8, 8), 0, "changes nothing"),
        ([{"kind": "residual", "kernel": 4}], (1, 8, 8), 0, r"layer 1 \(residual block 64\): .* odd"),
    ],
)  # fmt: skip
def test_a_layer_that_does_not_fit_is_named_and_the_rest_is_laid_out(layers, shape, row, said):
    settings = config(layers, shape)
    with pytest.raises(BadLayer, match=said) as caught:
        build(settings)
    assert caught.value.layer == row
    found = costs.outline(settings)
    assert found.broken == row
    assert found.problem == str(caught.value)
    assert {layer.row for layer in found.layers} == set(range(row))


def test_an_outline_of_layers_that_fit_says_from_which_row_each_comes():
    found = costs.outline(config(MIXED))
    assert found.problem is None
    assert found.broken is None
    rows = [layer.row for layer in found.layers if layer.part == "encoder" and layer.row is not None]
    assert rows == sorted(rows)
    assert set(rows) == set(range(len(MIXED)))
    assert all(layer.row is None for layer in found.layers if layer.part == "decoder")


@pytest.mark.parametrize("variant", ["autoencoder", "vae"])
def test_what_the_layers_cost_adds_up_to_the_whole(variant):
    settings = config(MIXED, variant=variant, standardise=True)
    found = costs.cost(settings, batch_size=64)
    assert found.parameters == sum(parameter.numel() for parameter in build(settings).parameters())
    assert sum(layer.parameters for layer in found.layers) == found.parameters
    assert sum(layer.memory for layer in found.layers) == found.memory
    assert sum(layer.flops for layer in found.layers) == found.flops


def test_the_shapes_of_an_outline_are_those_of_the_network():
    model = make(MIXED)
    with torch.no_grad():
        value, shapes = torch.rand(2, 1, 28, 28), []
        for module in [*model.encoder, *model.decoder]:
            value = module(value)
            shapes.append(tuple(value.shape[1:]))
    assert [layer.shape for layer in costs.cost(model.config).layers] == shapes


def test_flops_of_a_residual_block_are_those_of_its_convolutions():
    found = costs.cost(config([{"kind": "residual", "size": 5, "stride": 2}], (3, 8, 8)))
    first, second, shortcut = 5 * 3 * 9 * 16, 5 * 5 * 9 * 16, 5 * 3 * 16
    assert found.layers[0].flops == 2 * (first + second + shortcut)


TIED = [conv(6), conv(8, kernel=5, stride=1), dense(10)]


def test_tied_layers_share_one_weight_and_have_biases_of_their_own(tmp_path):
    model = make(TIED, (1, 11, 8), tied=True)
    untied = make(TIED, (1, 11, 8))
    names = set(model.state_dict())
    assert names == {name for name in untied.state_dict() if not name.startswith("decoder") or name.endswith("bias")}
    assert len({id(parameter) for parameter in model.parameters()}) == len(list(model.parameters())) == len(names)
    x = torch.rand(3, 1, 11, 8)
    for copied in (copy.deepcopy(model), build(model.config)):
        copied.load_state_dict(model.state_dict())
        assert torch.equal(copied.decode(copied.code(x)), model.decode(model.code(x)))
        nn.init.zeros_(copied.encoder[0].weight)
        assert not copied.decoder[-1].weight.any()
        assert model.decoder[-1].weight.any()
    save_model(model, tmp_path / "w.safetensors", {})
    back, _ = load_model(tmp_path / "w.safetensors")
    assert torch.equal(back.decode(back.code(x)), model.decode(model.code(x)))


def test_a_tied_decoder_is_the_untied_one_with_the_transposed_weights():
    model, untied = make(TIED, (1, 11, 8), tied=True), make(TIED, (1, 11, 8))
    tied = [module for module in model.decoder if isinstance(module, TiedLinear | TiedConvTranspose2d)]
    plain = [module for module in untied.decoder if isinstance(module, nn.Linear | nn.ConvTranspose2d)]
    assert len(tied) == len(plain) == 4
    with torch.no_grad():
        for one, other in zip(tied, plain, strict=True):
            other.weight.copy_(one.weight)
            other.bias.copy_(one.bias)
    z = torch.rand(3, 4)
    torch.testing.assert_close(model.decode(z), untied.decode(z))


def test_a_code_that_is_a_distribution_is_not_tied():
    model = make(TIED, (1, 11, 8), tied=True, variant="vae")
    assert isinstance(model.decoder[0], nn.Linear)
    assert isinstance(model.decoder[2], TiedLinear)


def test_tied_weights_learn_from_both_sides():
    model = make([dense(10)], (1, 8, 8), tied=True)
    x = torch.rand(2, 1, 8, 8)
    model.decode(torch.rand(2, 4)).sum().backward()
    decoded = model.encoder[1].weight.grad.clone()
    assert decoded.any()
    model.zero_grad()
    model.decode(model.code(x)).sum().backward()
    assert not torch.equal(model.encoder[1].weight.grad, decoded)


@pytest.mark.parametrize(("how", "spread"), [("he", 2 / 3136), ("normal", 1 / 3136), ("xavier", 2 / (3136 + 400))])
def test_weights_begin_with_the_spread_that_was_asked_for(how, spread):
    model = make([conv(16), conv(64), dense(400)], init=how)
    first = next(module for module in model.encoder if isinstance(module, nn.Linear))
    assert first.weight.var().item() == pytest.approx(spread, rel=0.02)
    assert not first.bias.any()
    assert not model.decoder[-1].bias.any()
    filled = {"he": 8 / (64 * 9), "normal": 4 / (64 * 9), "xavier": 2 / (64 * 9 / 4 + 16 * 9)}  # stride 2: a quarter
    transposed = next(module for module in model.decoder if isinstance(module, nn.ConvTranspose2d))
    assert transposed.weight.var().item() == pytest.approx(filled[how], rel=0.1)


def test_standardised_images_have_mean_zero_and_deviation_one(tmp_path):
    model = make([conv(4)], (3, 8, 8), standardise=True)
    x = torch.rand(64, 3, 8, 8) * torch.tensor([0.1, 0.5, 0.0]).view(3, 1, 1) + 0.2
    assert torch.equal(model.encoder[0](x), x)
    model.set_statistics(x.mean((0, 2, 3)), x.std((0, 2, 3)))
    seen = model.encoder[0](x)
    assert seen.mean((0, 2, 3)).tolist() == pytest.approx([0, 0, 0], abs=1e-5)
    assert seen[:, :2].std((0, 2, 3)).tolist() == pytest.approx([1, 1], abs=1e-5)
    save_model(model, tmp_path / "w.safetensors", {})
    back, _ = load_model(tmp_path / "w.safetensors")
    assert torch.equal(back.code(x), model.code(x))


def test_a_network_that_does_not_standardise_needs_no_statistics():
    model = make([dense(4)], (12,))
    before = copy.deepcopy(model.state_dict())
    model.set_statistics(torch.ones(12), torch.ones(12))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_settings_of_layers_are_checked_like_all_others():
    from aeviz.errors import BadValue

    with pytest.raises(BadValue, match="kernel"):
        LayerConfig.parse({"kind": "conv", "kernel": 12})
    with pytest.raises(BadValue, match="at most 24"):
        config([dense(4)] * 25)

"""A decoder is packed whole, or refused with what the browser cannot do."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from aeviz.errors import BadValue, OverBudget
from aeviz.export.page import decoder as decoders
from aeviz.export.page.decoder import pack_decoder
from aeviz.models import LOSSES, build, costs, model_config
from aeviz.models.variants.autoencoder import PlainAutoencoder


def make(body="dense", shape=(1, 8, 8), **settings):
    torch.manual_seed(0)
    of_body = body if isinstance(body, dict) else {"name": body}
    return build(model_config({"sample_shape": shape, "latent_dim": 3, "body": of_body, **settings}))


def unpack(packed, half=False):
    """The head, and the weights behind it."""
    (length,) = struct.unpack_from("<I", packed)
    return json.loads(packed[4 : 4 + length]), np.frombuffer(packed[4 + length :], "<f2" if half else "<f4")


def kinds(head):
    return [layer["kind"] for layer in head["layers"]]


def test_a_dense_decoder_is_its_layers_and_their_weights():
    model = make({"name": "dense", "widths": (6,), "dropout": 0.5})
    head, numbers = unpack(pack_decoder(model))
    assert (head["sample_shape"], head["latent_dim"]) == ([1, 8, 8], 3)
    assert kinds(head) == ["linear", "bend", "linear", "bend"], "dropout is for training only"
    first, second = model.decoder[0], model.decoder[3]
    for layer, module in zip(head["layers"][::2], (first, second), strict=True):
        for name in ("weight", "bias"):
            start, size = layer[name]
            assert numbers[start : start + size].tolist() == getattr(module, name).flatten().tolist()
    assert len(numbers) == sum(parameter.numel() for parameter in model.decoder.parameters())


def test_a_window_is_packed_by_phase_with_two_outputs_side_by_side():
    weight = torch.arange(2 * 3 * 3 * 3.0).reshape(2, 3, 3, 3)  # (inputs, outputs, height, width)
    corners = decoders._phase(weight[:, :, 0::2, 0::2])  # the taps at 0 and 2, of which 2 comes first
    assert len(corners) == 2 * 4 * 4, "three outputs and one of zeros, two inputs, four taps"
    assert corners[:4].tolist() == [weight[0, 0, 2, 2], weight[0, 1, 2, 2], weight[1, 0, 2, 2], weight[1, 1, 2, 2]]
    assert corners[4:6].tolist() == [weight[0, 0, 2, 0], weight[0, 1, 2, 0]]
    assert corners[16:18].tolist() == [weight[0, 2, 2, 2], 0.0]


def test_a_batch_norm_becomes_a_factor_and_a_shift():
    norm = nn.BatchNorm1d(4)
    for tensor in (norm.running_mean, norm.weight.data, norm.bias.data):
        tensor.normal_()
    norm.running_var.uniform_(0.5, 2.0)
    weights = decoders.Weights()
    (scale,) = decoders._batch_norm(norm, weights)
    numbers = np.frombuffer(weights.to_bytes(half=False), "<f4")
    (start, size), (shift, _) = scale["factor"], scale["shift"]
    x = torch.randn(4)
    found = x.numpy() * numbers[start : start + size] + numbers[shift : shift + size]
    assert found == pytest.approx(norm.eval()(x[None])[0].detach().numpy(), abs=1e-6)


@pytest.mark.parametrize(
    ("variant", "settings", "first"), [("cvae", {"n_classes": 4}, "label"), ("vq_vae", {"codebook": 8}, "snap")]
)
def test_what_a_variant_does_to_codes_comes_first(variant, settings, first):
    head, _ = unpack(pack_decoder(make(variant=variant, **settings)))
    assert kinds(head)[:2] == [first, "linear"]


def test_halved_weights_take_half_the_bytes():
    model = make("conv")
    _, whole = unpack(pack_decoder(model))
    _, halved = unpack(pack_decoder(model, half=True), half=True)
    assert len(halved) == len(whole)
    assert halved == pytest.approx(whole, rel=2**-11, abs=1e-7)


def test_weights_too_large_for_half_are_refused():
    model = make()
    model.decoder[0].bias.data[0] = 1e5
    with pytest.raises(BadValue, match=r"1e\+05, does not fit into 16 bits, which hold up to 65504"):
        pack_decoder(model, half=True)


def test_a_layer_the_browser_does_not_know_is_refused_by_name():
    model = make("conv")
    model.decoder.append(nn.Softplus())
    with pytest.raises(BadValue, match=r"layer of kind Softplus; it supports .*ConvTranspose2d, .*Linear, .*ReLU"):
        pack_decoder(model)


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (nn.Conv2d(1, 1, 3, stride=2), r"Conv2d with stride = \(2, 2\); it supports \(1, 1\)"),
        (nn.ConvTranspose2d(2, 2, 3, groups=2), "ConvTranspose2d with groups = 2; it supports 1"),
        (nn.Upsample(size=(4, 4), mode="bilinear"), "Upsample with mode = bilinear; it supports nearest"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_layer_with_settings_the_browser_does_not_know_is_refused(layer, said):
    model = make("conv")
    model.decoder.append(layer)
    with pytest.raises(BadValue, match=said):
        pack_decoder(model)


def test_a_variant_that_changes_codes_in_a_way_of_its_own_is_refused():
    class Doubling(PlainAutoencoder):
        label = "Doubling"

        def decoder_input(self, z, labels=None):
            return 2 * z

    with pytest.raises(BadValue, match="the codes of a Doubling"):
        pack_decoder(Doubling(make().config))


def test_a_loss_with_a_mean_of_its_own_is_refused(monkeypatch):
    model = make()
    monkeypatch.setitem(LOSSES, "mse", replace(LOSSES["mse"], mean=torch.tanh))
    with pytest.raises(BadValue, match="the output of the loss mse"):
        pack_decoder(model)


def test_a_decoder_that_takes_too_long_is_refused_with_its_number():
    model = make("residual", shape=(3, 128, 128))
    with pytest.raises(OverBudget, match="takes 40,812,544 multiply-adds a picture, 30,000,000 at most"):
        pack_decoder(model)


def test_a_decoder_of_too_many_bytes_is_refused_with_its_number():
    model = make({"name": "dense", "widths": (1300,)}, shape=(1, 64, 64))
    with pytest.raises(OverBudget, match=r"has 21,\d\d\d,\d\d\d bytes, 16,000,000 at most"):
        pack_decoder(model)
    assert len(pack_decoder(model, half=True)) < 16_000_000


def test_multiply_adds_are_one_per_weight_and_place():
    model = make({"name": "conv", "channels": (4, 6)})
    assert costs.decoder_flops(model) == 2 * (3 * 6 * 2 * 2 + 6 * 4 * 9 * 2 * 2 + 4 * 1 * 9 * 4 * 4)

"""Convolutions as they are trained on a CPU: whatever way they take, the numbers are torch's."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from aeviz.models import Batch, build, model_config
from aeviz.models.bodies.blocks import padding_of
from aeviz.models.bodies.strided import Conv2d, ConvTranspose2d, by_phases, channels_last

WINDOWS = [(1, 2), (2, 2), (3, 1), (3, 2), (3, 3), (4, 2), (5, 2), (5, 4), (7, 3)]
BODIES = {
    "conv": {"name": "conv", "channels": [8, 40]},
    "residual": {"name": "residual", "channels": [8, 16]},
    "even": {
        "name": "custom",
        "layers": [{"kind": "conv", "size": 4, "kernel": 4}, {"kind": "conv", "size": 8, "kernel": 2}],
    },
}


def learned(layer, x):
    """What a layer gives for x (B, I, h, w), and the gradients by x and its parameters of a drawn direction."""
    x = x.clone().requires_grad_()
    y = layer(x)
    direction = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=y.dtype)
    return [y.detach(), *torch.autograd.grad(y, [x, *layer.parameters()], direction)]


@pytest.mark.parametrize(("kernel", "stride"), WINDOWS)
@pytest.mark.parametrize(("inputs", "outputs"), [(3, 1), (1, 2), (2, 40)])
def test_every_layer_gives_and_learns_what_torchs_does(kernel, stride, inputs, outputs):
    torch.manual_seed(0)
    how = {"stride": stride, "padding": padding_of(kernel), "dtype": torch.float64}
    x = torch.randn(2, inputs, 6, 9, dtype=torch.float64)
    pairs = [(Conv2d(inputs, outputs, kernel, **how), nn.Conv2d(inputs, outputs, kernel, **how))]
    for extra in range(stride):
        layers = (
            kind(inputs, outputs, kernel, output_padding=extra, **how) for kind in (ConvTranspose2d, nn.ConvTranspose2d)
        )
        pairs.append(tuple(layers))
    for ours, torchs in pairs:
        torchs.load_state_dict(ours.state_dict())
        for got, expected in zip(learned(ours, channels_last(x)), learned(torchs, x), strict=True):
            torch.testing.assert_close(got, expected)


@pytest.mark.parametrize(("kernel", "stride"), WINDOWS)
def test_by_phases_is_the_transposed_convolution(kernel, stride):
    x, weight = torch.randn(2, 3, 4, 5, dtype=torch.float64), torch.randn(3, 2, kernel, kernel, dtype=torch.float64)
    bias, padding = torch.randn(2, dtype=torch.float64), padding_of(kernel)
    expected = F.conv_transpose2d(x, weight, bias, stride, padding, stride - 1)
    got = by_phases(x, weight, bias, stride, padding, tuple(expected.shape[2:]))
    torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("layer", [Conv2d(2, 3, 3, stride=2, padding=1), ConvTranspose2d(2, 3, 3, stride=2, padding=1)])
def test_a_gradient_can_be_differentiated_again(layer):
    layer = layer.double().to(memory_format=torch.channels_last)
    x = torch.randn(2, 2, 5, 4, dtype=torch.float64, requires_grad=True)
    assert layer(x).grad_fn.name() != "ConvolutionBackward0"
    assert torch.autograd.gradgradcheck(layer, x)


@pytest.mark.parametrize("layer", [Conv2d(4, 3, 3, stride=2, padding=1), ConvTranspose2d(4, 3, 3, stride=2, padding=1)])
def test_autocast_computes_in_bfloat16_and_learns_in_float32(layer):
    x = channels_last(torch.rand(2, 4, 8, 8))
    with torch.autocast("cpu", torch.bfloat16):
        y, *gradients = learned(layer, x)
    assert y.dtype == torch.bfloat16
    assert {gradient.dtype for gradient in gradients} == {torch.float32}
    torch.testing.assert_close(y.float(), layer(x), rtol=0.02, atol=0.02)


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_network_laid_out_channels_last_learns_what_it_would_otherwise(body, tied):
    x = torch.rand(4, 1, 11, 8)
    settings = {"variant": "autoencoder", "sample_shape": (1, 11, 8), "latent_dim": 3, "body": body, "tied": tied}
    torch.manual_seed(0)
    model = build(model_config(settings), "mse")
    gradients = []
    for layout in (torch.contiguous_format, torch.channels_last):
        model.to(memory_format=layout).zero_grad()
        x = x if layout is torch.contiguous_format else channels_last(x)
        model.losses(Batch(x, x, torch.zeros(4, dtype=torch.int64)))["total"].backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters()])
    for got, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_whoever_only_looks_or_keeps_channels_apart_has_torchs_own(channels):
    layer, x = ConvTranspose2d(channels, 2, 3, stride=2, padding=1), torch.rand(2, channels, 5, 4)
    assert layer(x).grad_fn.name() == "ConvolutionBackward0"
    laid_out = channels_last(x)
    assert torch.equal(laid_out, x)
    assert layer(laid_out).grad_fn.name() != "ConvolutionBackward0"
    with torch.no_grad():
        assert torch.equal(layer(laid_out), nn.ConvTranspose2d.forward(layer, laid_out))

"""What a network tells of itself is what one would compute by hand."""

import math

import pytest
import torch
from torch import nn

from aeviz import data
from aeviz.models import BODIES, VARIANTS, Batch, Gaussian, build, model_config
from aeviz.training.batches.feed import Feed
from aeviz.training.doctor.measurements import PROBES, gradient_norms, measure, observe


def network(variant="autoencoder", latent_dim=3, body=None, shape=(1, 8, 8)):
    torch.manual_seed(0)
    body = body or {"name": "dense", "widths": [6]}
    return build(model_config({"variant": variant, "latent_dim": latent_dim, "body": body, "sample_shape": shape}))


def batch(n=20, shape=(1, 8, 8)):
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(1))
    return Batch(x, x, torch.zeros(n, dtype=torch.long))


def test_gradient_norms_are_those_of_each_layer_and_of_all():
    model = network()
    model.losses(batch())["total"].backward()
    norms = gradient_norms(model)
    assert set(norms) == {"encoder.1", "encoder.3", "decoder.0", "decoder.2", "total"}
    layer = model.encoder[1]
    by_hand = math.sqrt(sum(float(p.grad.square().sum()) for p in layer.parameters()))
    assert norms["encoder.1"] == pytest.approx(by_hand, rel=1e-3)
    whole = math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters()))
    assert norms["total"] == pytest.approx(whole, rel=1e-3)


def test_gradients_are_told_by_place_in_the_stack_however_deep_and_where_not_finite_as_none():
    model = nn.ModuleDict({"encoder": nn.Sequential(nn.Sequential(nn.Sequential(nn.Linear(2, 2))))})
    assert gradient_norms(model) == {"total": 0.0}, "nothing was learned from yet"
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, math.inf)
    assert gradient_norms(model) == {"encoder.0": None, "total": None}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("body", BODIES)
def test_every_network_can_be_measured_and_is_left_as_it_was(variant, body):
    body = {"name": body} | ({"channels": [4, 8]} if body in ("conv", "residual") else {})
    model = network(variant, body=body).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    told, codes = observe(model, batch())
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert codes.shape[0] == 20
    assert len(told["variance"]) == codes.shape[1]
    is_gaussian = isinstance(model.encode(batch().x), Gaussian)
    assert (told["kl"] is None) is not is_gaussian
    assert 0 <= told["active"] <= codes.shape[1]
    assert told["dead"]
    assert all(0 <= share <= 1 for share in told["dead"].values())


def test_variance_kl_and_active_units_are_those_of_the_posterior():
    model = network("vae").eval()
    with torch.no_grad():
        posterior = model.encode(batch().x)
    told = measure(model, batch())
    assert told["variance"] == pytest.approx(posterior.mu.var(0, correction=0).tolist(), rel=1e-3)
    assert told["kl"] == pytest.approx(posterior.kl().mean(0).tolist(), rel=1e-3)
    assert told["active"] == int((posterior.mu.var(0, correction=0) > 0.01).sum())


def test_a_plain_code_is_active_against_its_largest_variance():
    model = network(body={"name": "dense", "widths": []})
    with torch.no_grad():
        model.encoder[1].weight.copy_(torch.eye(64)[:3] * torch.tensor([1e-4, 0.5e-4, 1e-6])[:, None])
    assert measure(model, batch())["active"] == 2
    with torch.no_grad():
        model.encoder[1].weight.zero_()
    assert measure(model, batch())["active"] == 0


def test_units_that_never_respond_are_counted():
    model = network()
    with torch.no_grad():
        model.encoder[1].bias[:3] = -1000.0
        model.encoder[1].bias[3:] = 1.0
    assert measure(model, batch())["dead"]["encoder.2"] == 0.5


@pytest.mark.parametrize("activation", ["leaky_relu", "elu", "gelu", "silu", "tanh"])
def test_units_that_are_saturated_or_constant_are_counted(activation):
    model = network(body={"name": "dense", "widths": [6], "activation": activation})
    with torch.no_grad():
        if activation == "leaky_relu":
            model.encoder[1].weight[:3] = 0.0
        else:
            model.encoder[1].bias[:3] = -50.0
    dead = measure(model, batch())["dead"]["encoder.2"]
    assert dead == 0.5


def test_a_channel_counts_as_one_unit_wherever_it_responds():
    model = network(body={"name": "conv", "channels": [4]})
    with torch.no_grad():
        model.encoder[0].bias[0] = -1000.0
        model.encoder[0].bias[1:] = 1000.0
    assert measure(model, batch())["dead"]["encoder.1"] == 0.25


def test_at_most_two_thousand_probes_are_looked_at_and_no_gradient_is_kept():
    _, codes = observe(network(shape=(1, 2, 2), body={"name": "dense", "widths": [4]}), batch(2100, (1, 2, 2)))
    assert codes.shape == (PROBES, 3)
    assert not codes.requires_grad
    feed = Feed(data.load("digits", {}), "val", "cpu")
    assert observe(network(), feed)[1].shape == (len(feed), 3)


def test_the_error_of_the_mean_probe_is_told_for_comparison():
    probes = batch(1200, (1, 2, 2))
    told = measure(network(shape=(1, 2, 2), body={"name": "dense", "widths": [4]}), probes)
    mean = probes.x.mean(0)
    assert told["mean_mse"] == pytest.approx(float((probes.x - mean).square().mean()), rel=1e-3)


def test_codes_that_are_no_numbers_are_told_as_none():
    model = network("vae")
    with torch.no_grad():
        model.encoder[3].weight.fill_(math.nan)
    told = measure(model, batch())
    assert told["variance"] == [None] * 3
    assert told["kl"] == [None] * 3
    assert told["active"] == 0

"""Every variant keeps the contract, with every body and on every shape."""

import math

import pytest
import torch

from aeviz.errors import BadFile, BadValue, OverBudget, UnknownName
from aeviz.models import BODIES, LOSSES, VARIANTS, Batch, Gaussian, build, costs, model_config
from aeviz.models.weights import load_model, read_metadata, save_model

SHAPES = [(1, 8, 8), (3, 28, 28), (3, 33, 47), (1, 128, 100)]
each_variant = pytest.mark.parametrize("name", VARIANTS)
each_body = pytest.mark.parametrize("body", BODIES)


def make(name="autoencoder", body="dense", shape=(1, 8, 8), loss="mse", **settings):
    torch.manual_seed(0)
    values = {"variant": name, "sample_shape": shape, "latent_dim": 3, "body": {"name": body}, **settings}
    return build(model_config(values), loss)


@each_variant
@each_body
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_decoding_a_code_gives_a_sample_of_the_input_shape(name, body, shape):
    model = make(name, body, shape).eval()
    x = torch.rand(2, *shape)
    x_hat = model.decode(model.encode(x))
    assert x_hat.shape == x.shape
    assert model.code(x).shape == (2, 3)
    assert ((x_hat >= 0) & (x_hat <= 1)).all()


@each_variant
@each_body
@pytest.mark.parametrize(("norm", "dropout"), [("none", 0.0), ("batch", 0.2), ("layer", 0.0)])
def test_the_total_can_be_minimised(name, body, norm, dropout):
    settings = {"body": {"name": body, "norm": norm, "dropout": dropout, "activation": "silu"}}
    settings["variant"], settings["sample_shape"], settings["latent_dim"] = name, (1, 8, 8), 3
    torch.manual_seed(0)
    _minimise(build(model_config(settings)))


@each_variant
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_can_be_minimised(name, loss):
    _minimise(make(name, loss=loss))


def _minimise(model):
    x = torch.rand(16, 1, 8, 8)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    totals = []
    for _ in range(30):
        terms = model.losses(Batch(x, x))
        optimizer.zero_grad()
        terms["total"].backward()
        assert all(parameter.grad is not None for parameter in model.parameters())
        optimizer.step()
        totals.append(terms["total"].item())
    assert sum(totals[-3:]) < sum(totals[:3])


@each_variant
def test_validation_losses_are_the_same_every_time_or_unbiased(name):
    model = make(name).eval()
    x = torch.rand(8, 1, 8, 8)
    with torch.no_grad():
        first, second = (model.losses(Batch(x, x)) for _ in range(2))
    assert first["reconstruction"] == second["reconstruction"]
    assert not any(value.requires_grad for term, value in first.items() if term == "reconstruction")


@each_variant
def test_a_variant_is_found_under_its_own_name(name):
    cls = VARIANTS[name]
    assert cls.name == name
    assert cls.Config(sample_shape=(1, 8, 8)).variant == name
    assert cls.label
    assert cls.summary


def test_squared_error_is_summed_over_pixels_and_averaged_over_the_batch():
    logits, target = torch.zeros(4, 1, 2, 2), torch.full((4, 1, 2, 2), 0.75)
    assert LOSSES["mse"].of(logits, target).item() == pytest.approx(4 * 0.25**2)


def test_cross_entropy_of_a_fair_coin_is_log_2_per_pixel():
    logits, target = torch.zeros(3, 1, 2, 5), torch.ones(3, 1, 2, 5)
    assert LOSSES["bernoulli"].of(logits, target).item() == pytest.approx(10 * math.log(2))


def test_kl_of_a_gaussian_against_the_textbook():
    posterior = Gaussian(torch.tensor([[0.0, 1.0]]), torch.tensor([[0.0, math.log(4.0)]]))
    assert posterior.kl()[0].tolist() == pytest.approx([0.0, 0.5 * (1 + 4 - 1 - math.log(4))])
    assert posterior.mode.tolist() == [[0.0, 1.0]]
    draws = Gaussian(torch.full((20_000, 1), 2.0), torch.full((20_000, 1), math.log(9.0))).sample(
        torch.randn(20_000, 1)
    )
    assert draws.mean().item() == pytest.approx(2.0, abs=0.1)
    assert draws.std().item() == pytest.approx(3.0, abs=0.1)


def test_beta_weighs_the_kl_term():
    x = torch.rand(4, 1, 8, 8)
    model = make("beta_vae", beta=7.0).eval()
    terms = model.losses(Batch(x, x))
    assert terms["total"].item() == pytest.approx((terms["reconstruction"] + 7 * terms["kl"]).item(), rel=1e-6)


def test_the_denoising_variant_sees_noise_only_while_training():
    model = make("denoising", noise=1.0)
    x = torch.full((64, 1, 8, 8), 0.5)
    model.train()
    assert model.losses(Batch(x, x))["total"] != model.losses(Batch(x, x))["total"]
    model.eval()
    assert model.losses(Batch(x, x))["total"] == model.losses(Batch(x, x))["total"]


def test_sparsity_is_the_sum_of_absolute_codes_or_the_kl_to_the_target():
    x = torch.rand(4, 1, 8, 8)
    model = make("sparse").eval()
    assert model.losses(Batch(x, x))["sparsity"].item() == pytest.approx(model.code(x).abs().sum(1).mean().item())
    model = make("sparse", penalty="kl", target=0.25).eval()
    mean = model.code(x).mean(0)
    kl = 0.25 * (0.25 / mean).log() + 0.75 * (0.75 / (1 - mean)).log()
    assert model.losses(Batch(x, x))["sparsity"].item() == pytest.approx(kl.sum().item(), rel=1e-5)


def test_the_contractive_penalty_is_the_squared_norm_of_the_jacobian():
    model = make("contractive", body="dense").eval()
    x = torch.rand(1, 1, 8, 8)
    exact = torch.autograd.functional.jacobian(model.code, x).square().sum().item()
    batch = Batch(x.expand(4000, -1, -1, -1), x.expand(4000, -1, -1, -1))
    assert model.losses(batch)["jacobian"].item() == pytest.approx(exact, rel=0.15)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"latent_dim": 0}, "latent_dim"),
        ({"latent_dim": 513}, "latent_dim"),
        ({"body": {"name": "conv", "dropou": 1}}, "dropou"),
        ({"body": {"name": "dense", "widths": [0]}}, "widths"),
    ],
)
def test_settings_that_are_not_allowed_are_named(values, said):
    with pytest.raises(BadValue, match=said):
        model_config({"sample_shape": (1, 8, 8), **values})


def test_an_unknown_variant_is_told_the_known():
    with pytest.raises(UnknownName, match="beta_vae"):
        model_config({"variant": "gan", "sample_shape": (1, 8, 8)})


def test_too_many_halvings_are_refused_with_the_number_that_fits():
    config = model_config({"sample_shape": (1, 8, 8), "body": {"name": "conv", "channels": [8] * 5}})
    with pytest.raises(BadValue, match="at most 3"):
        costs.cost(config)


@each_variant
@each_body
def test_the_cost_counts_every_parameter_and_names_the_code(name, body):
    model = make(name, body)
    found = costs.cost(model.config)
    assert found.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert sum(layer.parameters for layer in found.layers) == found.parameters
    assert found.layers[-1].shape == (1, 8, 8)
    assert found.flops > 0


def test_flops_of_a_dense_layer_are_two_per_weight():
    config = model_config({"sample_shape": (1, 8, 8), "latent_dim": 3, "body": {"name": "dense", "widths": []}})
    assert costs.cost(config).flops == 2 * (64 * 3 + 3 * 64)


def test_a_network_over_the_budget_is_refused_before_it_exists():
    config = model_config({"sample_shape": (3, 128, 128), "body": {"name": "dense", "widths": [8192] * 8}})
    with pytest.raises(OverBudget, match="GB"):
        costs.check(costs.cost(config, batch_size=65_536), "cpu")


@each_variant
@each_body
def test_weights_come_back_from_disk_with_their_settings(name, body, tmp_path):
    model = make(name, body).eval()
    save_model(model, tmp_path / "w.safetensors", {"step": 7})
    back, position = load_model(tmp_path / "w.safetensors")
    x = torch.rand(2, 1, 8, 8)
    assert back.config == model.config
    assert position["step"] == 7
    assert torch.equal(back.code(x), model.code(x))


def test_weights_that_do_not_fit_are_refused(tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "w.safetensors"
    path.write_bytes(b"not safetensors")
    with pytest.raises(BadFile, match="not a weights file"):
        load_model(path)
    save_model(make(), path, {})
    metadata = read_metadata(path)
    import json

    save_file(
        {"model.encoder.1.weight": torch.zeros(2, 2)},
        path,
        {"format": "1", "model": json.dumps(metadata["model"]), "loss": "mse", "position": "{}"},
    )
    with pytest.raises(BadFile, match="does not fit"):
        load_model(path)

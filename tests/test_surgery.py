"""A network changed while it learns goes on as the same function wherever that is possible, and says where not."""

import copy

import pytest
import torch
from torch import nn

from aeviz.errors import BadValue
from aeviz.models import VARIANTS, Batch, build, model_config
from aeviz.models.surgery.transfer import transfer
from aeviz.models.weights import load_model, save_model

SHAPE = (1, 14, 13)
POOL = {"kind": "pool", "stride": 2}


def dense(size):
    return {"kind": "dense", "size": size}


def conv(size, stride=2, kernel=3):
    return {"kind": "conv", "size": size, "stride": stride, "kernel": kernel}


def residual(size, stride=2):
    return {"kind": "residual", "size": size, "stride": stride}


def config(layers, variant="autoencoder", latent_dim=4, shape=SHAPE, activation="relu", norm="none", **settings):
    body = {"name": "custom", "layers": layers, "activation": activation, "norm": norm}
    return model_config({"variant": variant, "sample_shape": shape, "latent_dim": latent_dim, "body": body, **settings})


def trained(layers, **settings):
    """A network whose weights, biases and statistics are nowhere as they began."""
    torch.manual_seed(0)
    model = build(config(layers, **settings)).eval()
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith("running_var") or (value.dim() == 1 and name.endswith("weight")):
                value.uniform_(0.5, 1.5)
            elif value.dim() == 1:
                value.normal_(0.0, 0.2)
            elif value.dim() > 1:
                value.mul_(2.0)
    return model


def images(count=16, shape=SHAPE):
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(5))


def difference(one, other, x=None):
    x = images() if x is None else x
    with torch.no_grad():
        return (one.decode(one.code(x)) - other.decode(other.code(x))).abs().max().item()


EXACT = {
    "nothing": ([dense(20), dense(8)], [dense(20), dense(8)]),
    "wider dense": ([dense(20), dense(8)], [dense(31), dense(12)]),
    "deeper dense": ([dense(20), dense(8)], [dense(20), dense(8), dense(8)]),
    "deeper and wider dense": ([dense(20), dense(8)], [dense(50), dense(40), dense(11), dense(30)]),
    "a narrow layer between": ([dense(20), dense(8)], [dense(20), dense(12), dense(8)]),
    "wider conv": ([conv(4), conv(6)], [conv(7), conv(12)]),
    "deeper conv": ([conv(4), conv(6)], [conv(4), conv(4, 1), conv(6), conv(7, 1)]),
    "conv in front": ([conv(4), conv(6)], [conv(4, 1), conv(5, 1), conv(4), conv(6)]),
    "larger windows": ([conv(4), conv(6)], [conv(4, kernel=5), conv(6, kernel=7)]),
    "dense after conv": ([conv(4), conv(6)], [conv(4), conv(6), dense(100)]),
    "custom wider": ([conv(4), POOL, conv(6), dense(9)], [conv(6), POOL, conv(9), dense(11)]),
    "wider residual": ([residual(4), residual(6, 1), dense(9)], [residual(5), residual(8, 1), dense(9)]),
    "deeper residual": ([residual(4), dense(9)], [residual(4), residual(4, 1), residual(7, 1), dense(9)]),
    "residual in front": ([residual(4), dense(9)], [residual(4, 1), residual(4), dense(9)]),
    "residual into conv": ([conv(4), conv(6)], [conv(4), residual(4, 1), conv(6)]),
}


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("variant", ["autoencoder", "vae"])
@pytest.mark.parametrize("case", EXACT)
def test_wider_and_deeper_networks_begin_as_the_same_function(case, variant, tied):
    before, after = EXACT[case]
    old = trained(before, variant=variant, tied=tied)
    new, report = transfer(old, config(after, variant=variant, tied=tied))
    assert difference(old, new) < 1e-4
    assert report["exact"]
    assert report["kept"] == pytest.approx(1.0)
    assert "same" in report["said"]


@pytest.mark.parametrize("activation", ["gelu", "silu", "elu", "tanh", "leaky_relu"])
def test_wider_layers_are_the_same_function_with_any_bend(activation):
    old = trained([conv(4), dense(9)], activation=activation)
    new, report = transfer(old, config([conv(7), dense(13)], activation=activation))
    assert report["exact"]
    assert difference(old, new) < 1e-4


def test_deeper_layers_begin_near_the_identity_where_the_bend_is_no_rectifier():
    old = trained([dense(20), dense(8)], activation="silu")
    new, report = transfer(old, config([dense(20), dense(20), dense(8)], activation="silu"))
    assert not report["exact"]
    assert report["kept"] > 0.99
    anew = build(new.config).eval()
    assert difference(old, new) < difference(old, anew)


def test_batch_norms_go_along_with_their_units():
    settings = {"norm": "batch"}
    old = trained([conv(4), conv(6), dense(8)], **settings)
    new, report = transfer(old, config([conv(7), conv(6), dense(10)], **settings))
    assert report["exact"]
    assert difference(old, new) < 1e-4


def test_layer_norms_stay_exact_when_every_unit_is_copied_as_often():
    old = trained([conv(4), conv(6), dense(8)], norm="layer")
    assert transfer(old, config([conv(8), conv(12), dense(16)], norm="layer"))[1]["exact"]
    assert not transfer(old, config([conv(8), conv(12), dense(15)], norm="layer"))[1]["exact"]


@pytest.mark.parametrize("layers", [[dense(20), dense(8)], [conv(4), residual(6)], []], ids=str)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_larger_code_begins_with_the_same_pictures(layers, variant):
    old = trained(layers, variant=variant)
    new, report = transfer(old, config(layers, variant=variant, latent_dim=7))
    assert new.code(images()).shape == (16, 7)
    if variant in ("autoencoder", "denoising", "sparse", "contractive", "vae", "beta_vae"):
        assert report["exact"]
        assert difference(old, new) < 1e-4


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("variant", ["autoencoder", "vae"])
@pytest.mark.parametrize("layers", [[dense(20), dense(8)], [conv(4), residual(6)]], ids=["dense", "conv"])
def test_a_smaller_code_rebuilds_as_well_as_its_principal_components(layers, variant, tied):
    old = trained(layers, variant=variant, tied=tied, latent_dim=6)
    x = images(400)
    with torch.no_grad():
        codes = old.code(x)
        new, report = transfer(old, config(layers, variant=variant, tied=tied, latent_dim=3), codes)
        mean = codes.mean(0)
        _, _, directions = torch.linalg.svd(codes - mean, full_matrices=False)
        projected = mean + (codes - mean) @ directions[:3].T @ directions[:3]
        wanted = (old.decode(projected) - x).square().mean().item()
        found = (new.decode(new.code(x)) - x).square().mean().item()
    assert found == pytest.approx(wanted, rel=0.01)
    assert not report["exact"]


def test_a_code_that_is_bent_keeps_the_numbers_that_matter_most():
    old = trained([dense(8)], variant="sparse", penalty="kl")
    with torch.no_grad():
        old.decoder[0].weight[:, 2] *= 0.0
    new, report = transfer(old, config([dense(8)], variant="sparse", penalty="kl", latent_dim=3), probe=images())
    assert report["exact"]
    torch.testing.assert_close(new.code(images()), old.code(images())[:, [0, 1, 3]])


def test_the_units_that_weigh_most_are_kept():
    old = trained([dense(8)])
    with torch.no_grad():
        for unit in (1, 4, 6):  # they reach nothing and hear nothing
            old.encoder[1].weight[unit] = 0.0
            old.encoder[1].bias[unit] = 0.0
            old.decoder[0].weight[unit] = 0.0
            old.decoder[0].bias[unit] = 0.0
    new, report = transfer(old, config([dense(5)]))
    assert report["exact"]
    assert difference(old, new) < 1e-4


def test_a_layer_taken_away_that_did_nothing_is_not_missed():
    old = trained([conv(4), dense(8)])
    deeper, _ = transfer(old, config([conv(4), conv(4, 1), dense(8), dense(8)]))
    back, report = transfer(deeper, old.config)
    assert report["exact"]
    assert difference(old, back) < 1e-4


@pytest.mark.parametrize("target", VARIANTS)
@pytest.mark.parametrize("source", ["autoencoder", "vae"])
def test_another_variant_goes_on_with_the_same_network(source, target):
    old = trained([conv(4), dense(8)], variant=source)
    x = images(64)
    new, report = transfer(old, config([conv(4), dense(8)], variant=target), probe=x)
    assert report["kept"] > 0.5
    if target in ("vae", "beta_vae", "autoencoder", "denoising", "contractive"):
        assert report["exact"]
        assert difference(old, new) < 1e-4
    if source == "autoencoder" and target == "vae":
        posterior = new.encode(x)
        share = posterior.log_var.exp().mean(0) / posterior.mu.var(0)
        assert (share < 0.05).all()
    terms = new.train().losses(Batch(x, x, labels=torch.zeros(64, dtype=torch.long)))
    assert torch.isfinite(terms["total"])


def test_what_has_no_counterpart_starts_from_scratch_and_is_reported():
    old = trained([dense(20), dense(8)])
    new, report = transfer(old, config([conv(4), conv(8)]))
    assert report["kept"] < 0.005
    assert not report["exact"]
    assert "from scratch" in report["said"]
    assert new.config.body.layers[0].kind == "conv"


@pytest.mark.parametrize("layers", [[dense(9)], []], ids=["dense", "nothing"])
def test_images_no_longer_standardised_are_so_by_the_weights(layers):
    old = trained(layers, standardise=True)
    old.set_statistics(torch.tensor([0.3]), torch.tensor([0.2]))
    kept, report = transfer(old, config(layers, standardise=True))
    assert report["exact"]
    assert kept.encoder[0].mean.item() == pytest.approx(0.3)
    folded, report = transfer(old, config(layers))
    assert report["exact"]
    back, report = transfer(folded, config(layers, standardise=True))
    assert report["exact"]
    assert difference(old, back) < 1e-4


def test_untying_the_weights_changes_nothing():
    old = trained([conv(4), dense(8)], tied=True)
    new, report = transfer(old, config([conv(4), dense(8)]))
    assert report["exact"]
    assert difference(old, new) < 1e-4


@pytest.mark.parametrize("loss", ["mse", "bernoulli"])
def test_the_new_network_learns_with_copies_that_go_their_own_ways(loss):
    old = trained([dense(8)])
    old.loss = loss
    old.train()
    before = copy.deepcopy(old.state_dict())
    new, _ = transfer(old, config([dense(16)]))
    assert new.training
    assert new.loss == loss
    optimizer = torch.optim.Adam(new.parameters(), lr=1e-2)
    x = images()
    for _ in range(20):
        optimizer.zero_grad()
        new.losses(Batch(x, x))["total"].backward()
        optimizer.step()
    weight = new.encoder[1].weight
    apart = (weight[0::2] - weight[1::2]).abs().amax(1)  # copies of one unit stand side by side
    assert (apart > 1e-3).sum() >= 4  # those that are on for any image
    assert all(torch.equal(value, before[name]) for name, value in old.state_dict().items())


def test_a_new_network_can_be_saved_and_changed_again(tmp_path):
    model = trained([conv(4), dense(8)], tied=True)
    first = model
    for layers in ([conv(6), dense(8)], [conv(6), conv(6, 1), dense(12)], [conv(6), conv(6, 1), dense(30), dense(12)]):
        model, report = transfer(model, config(layers, tied=True))
        assert report["exact"]
    save_model(model, tmp_path / "w.safetensors", {})
    back, _ = load_model(tmp_path / "w.safetensors")
    assert difference(first, back) < 1e-4
    assert not any(module.training for module in model.modules() if isinstance(module, nn.Linear))


def test_the_same_seed_gives_the_same_network_and_disturbs_no_other_draws():
    old, wanted = trained([dense(8)]), config([dense(12), dense(5)])
    torch.manual_seed(3)
    undisturbed = torch.rand(1)
    torch.manual_seed(3)
    one, other, third = (transfer(old, wanted, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(torch.rand(1), undisturbed)
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)
    assert not torch.equal(third.encoder[1].weight, one.encoder[1].weight) or not torch.equal(
        third.decoder[-2].weight, one.decoder[-2].weight
    )


def test_samples_of_another_shape_are_refused():
    old = trained([dense(8)])
    with pytest.raises(BadValue, match=r"\(1, 14, 13\)"):
        transfer(old, config([dense(8)], shape=(1, 8, 8)))

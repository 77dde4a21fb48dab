"""What sets one variant apart from the others, against numbers that can be derived."""

import math

import pytest
import torch

from aeviz.errors import BadValue
from aeviz.models import VARIANTS, Batch, Gaussian, build, corrupt, model_config
from aeviz.models.variants.beta_tc_vae import decompose
from aeviz.models.variants.denoising import DenoisingConfig
from aeviz.models.variants.noise import NOISES
from aeviz.models.variants.vq_vae import perplexity
from aeviz.models.variants.wae_mmd import SCALES, mmd
from aeviz.models.weights import load_model, save_model

LABELS = torch.tensor([0, 1, 2, 3] * 4)
VARIATIONAL = ["vae", "beta_vae", "beta_tc_vae", "cvae"]


def make(name, **settings):
    torch.manual_seed(0)
    values = {
        "variant": name,
        "sample_shape": (1, 8, 8),
        "latent_dim": 3,
        "body": {"name": "dense", "widths": [32]},
        **settings,
    }
    return build(model_config(values))


def batch(count=16, labels=None, shape=(1, 8, 8)):
    x = torch.rand(count, *shape, generator=torch.Generator().manual_seed(1))
    return Batch(x, x, labels)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_says_the_same_under_bfloat16(name):
    model = make(name).eval()
    torch.manual_seed(1)
    exact = model.losses(batch())
    torch.manual_seed(1)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = model.losses(batch())
    assert all(value.dtype == torch.float32 for value in rounded.values())
    assert rounded["total"].item() == pytest.approx(exact["total"].item(), rel=0.03)


@pytest.mark.parametrize("name", VARIANTS)
def test_a_batch_of_one_image_has_finite_losses(name):
    terms = make(name).eval().losses(batch(1))
    assert all(torch.isfinite(value) and value.dim() == 0 for value in terms.values())


@pytest.mark.parametrize("name", VARIANTS)
def test_a_dial_that_is_turned_acts_on_the_next_step(name):
    model = make(name, **({"penalty": "kl"} if name == "sparse" else {}))
    for setting in set(model.config.live_fields()) - {"annealing"}:
        totals = []
        for value in (0.0, 2.0):
            model.set_live(setting, value)
            torch.manual_seed(2)
            totals.append(model.losses(batch())["total"].item())
        assert totals[0] != totals[1], setting
        assert getattr(model.config, setting) == 2.0


@pytest.mark.parametrize("name", VARIATIONAL)
def test_the_kl_term_warms_up_while_training_only(name):
    model = make(name, annealing=4.0)
    model.advance(0.0)
    terms = model.losses(batch())
    assert terms["total"] == terms["reconstruction"]
    assert terms["kl"] > 0
    model.advance(1.0)
    assert model.kl_weight().item() == pytest.approx(0.25 * getattr(model.config, "beta", 1.0) ** (name == "beta_vae"))
    model.advance(9.0)
    warm = model.kl_weight()
    assert model.eval().kl_weight() == warm


def test_validation_takes_no_notice_of_the_warm_up():
    model = make("vae", annealing=4.0).eval()
    model.advance(0.0)
    terms = model.losses(batch())
    assert terms["total"].item() == pytest.approx((terms["reconstruction"] + terms["kl"]).item())


@pytest.mark.parametrize("name", VARIATIONAL)
def test_free_bits_are_the_floor_of_every_dimensions_kl(name):
    model = make(name, free_bits=5.0, **({"beta": 1.0} if name.startswith("beta") else {})).eval()
    terms = model.losses(batch())  # fresh networks say next to nothing
    assert terms["kl"] < 5.0
    assert (terms["total"] - terms["reconstruction"]).item() == pytest.approx(3 * 5.0, rel=1e-5)
    terms["total"].backward()
    assert model.encoder[-1].weight.grad[3:].abs().sum() == 0  # log_var reaches the total by the KL alone


def test_free_bits_leave_louder_dimensions_as_they_are():
    model = make("vae", free_bits=1.0)
    posterior = Gaussian(torch.tensor([[3.0, 0.0, 0.0]]), torch.zeros(1, 3))  # KL of 4.5, 0, 0
    terms = model.bound(torch.zeros(()), posterior)
    assert terms["kl"].item() == pytest.approx(4.5)
    assert terms["total"].item() == pytest.approx(4.5 + 1 + 1)


def test_the_discrepancy_of_equal_distributions_is_nothing_and_of_others_is_not():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 1000, 4, generator=generator)
    assert mmd(x, y).item() == pytest.approx(0.0, abs=0.01)
    assert mmd(x, y + 1).item() > 0.3
    assert mmd(x, 2 * y).item() > 0.1


def test_the_discrepancy_of_two_points_each_against_the_kernel_by_hand():
    x, y = torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [3.0]])

    def kernel(distance):
        return sum(2 * scale / (2 * scale + distance**2) for scale in SCALES)

    across = (kernel(0) + kernel(3) + kernel(1) + kernel(2)) / 4
    assert mmd(x, y).item() == pytest.approx(kernel(1) + kernel(3) - 2 * across, rel=1e-5)


def test_codes_of_one_posterior_have_no_total_correlation_and_say_nothing():
    posterior = Gaussian(torch.full((64, 5), 0.5), torch.full((64, 5), -1.0))
    z = posterior.sample(torch.randn(64, 5, generator=torch.Generator().manual_seed(0)))
    mi, tc, _ = decompose(posterior, z)
    assert mi.item() == pytest.approx(0.0, abs=1e-4)
    assert tc.item() == pytest.approx(0.0, abs=1e-4)


def test_total_correlation_is_large_for_dimensions_that_agree_and_small_for_those_that_do_not():
    generator = torch.Generator().manual_seed(0)
    free, shared = torch.randn(512, 2, generator=generator), torch.randn(512, 1, generator=generator).expand(-1, 2)
    said = []
    for mu in (free, shared):
        posterior = Gaussian(mu, torch.full((512, 2), math.log(0.1)))
        said.append(decompose(posterior, posterior.sample(torch.randn(512, 2, generator=generator)))[1].item())
    # Two Gaussians of variance 1.1 and covariance 1: -log(1 - (1 / 1.1)^2) / 2 = .88 nats
    assert said[0] == pytest.approx(0.0, abs=0.12)
    assert said[1] == pytest.approx(0.88, abs=0.12)


def test_the_three_parts_add_up_to_the_kl():
    generator = torch.Generator().manual_seed(0)
    posterior = Gaussian(torch.randn(700, 4, generator=generator), torch.randn(700, 4, generator=generator))
    parts = decompose(posterior, posterior.sample(torch.randn(700, 4, generator=generator)))
    assert sum(parts).item() == pytest.approx(posterior.kl().sum(1).mean().item(), rel=0.05)


def test_a_beta_of_one_is_a_plain_vae():
    model = make("beta_tc_vae", beta=1.0).eval()
    terms = model.losses(batch())
    assert terms["total"].item() == pytest.approx((terms["reconstruction"] + terms["kl"]).item())


def test_the_penalties_of_the_regularised_one_are_squares_of_codes_and_decoder_weights():
    model = make("rae", code_penalty=2.0, decoder_penalty=3.0).eval()
    terms = model.losses(batch())
    weights = sum(module.weight.square().sum() for module in model.decoder if hasattr(module, "weight"))
    assert terms["code_length"].item() == pytest.approx(0.5 * model.code(batch().x).square().sum(1).mean().item())
    assert terms["decoder_weights"].item() == pytest.approx(weights.item())
    expected = terms["reconstruction"] + 2 * terms["code_length"] + 3 * terms["decoder_weights"]
    assert terms["total"].item() == pytest.approx(expected.item())


@pytest.mark.parametrize(("latent_dim", "code_size"), [(6, 2), (6, 1), (7, 3), (2, 4), (1, 1)])
def test_quantising_snapped_codes_changes_nothing(latent_dim, code_size):
    model = make("vq_vae", latent_dim=latent_dim, code_size=code_size, codebook=16).eval()
    z = torch.randn(50, latent_dim)
    quantised = model.quantise(z)
    assert quantised.shape == z.shape
    assert torch.equal(model.quantise(quantised), quantised)
    assert torch.equal(model.decode(quantised), model.decode(z))


def test_every_group_is_snapped_to_the_nearest_entry_over_the_numbers_it_has():
    model = make("vq_vae", latent_dim=3, code_size=2, codebook=8)
    entries, z = model.codebook.weight.detach(), torch.randn(20, 3)
    first = torch.cdist(z[:, :2], entries).argmin(1)
    last = torch.cdist(z[:, 2:], entries[:, :1]).argmin(1)
    expected = torch.cat([entries[first], entries[last][:, :1]], dim=1)
    assert torch.allclose(model.quantise(z), expected)


def test_codes_of_the_vq_vae_are_made_of_its_words():
    model = make("vq_vae", latent_dim=4, code_size=2, codebook=8).eval()
    words = model.code(batch().x).reshape(-1, 2)
    assert torch.cdist(words, model.codebook.weight).amin(1).max() < 1e-6


def test_gradients_pass_the_snapping_and_reach_the_encoder():
    model = make("vq_vae", commitment=0.0)
    model.losses(batch())["reconstruction"].backward()
    assert model.encoder[-1].weight.grad.abs().sum() > 0
    assert model.codebook.weight.grad is None


def test_perplexity_counts_the_words_in_use():
    assert perplexity(torch.arange(8).repeat(3), 8).item() == pytest.approx(8.0)
    assert perplexity(torch.zeros(9, dtype=torch.long), 8).item() == pytest.approx(1.0)
    assert perplexity(torch.tensor([0, 1, 0, 1]), 8).item() == pytest.approx(2.0)


def test_idle_entries_are_drawn_to_the_codes():
    model = make("vq_vae", latent_dim=2, codebook=64)
    torch.nn.init.normal_(model.codebook.weight, std=10.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        model.losses(batch())["total"].backward()
        optimizer.step()
    distances = torch.cdist(model.codebook.weight, model.encoder(batch().x)).amin(1)
    assert distances.mean() < 3.0  # of 12 at first


def test_a_label_tells_the_conditional_vae_what_to_draw():
    model = make("cvae", n_classes=4).eval()
    z = torch.zeros(4, 3)
    drawn = model.decode(z, LABELS[:4])
    assert all(not torch.equal(drawn[0], other) for other in drawn[1:])
    assert torch.equal(model.decode(z), model.decode(z, torch.full((4,), -1)))
    assert torch.equal(model.decode(z), model.decode(z, torch.full((4,), 9)))  # no class of this set
    x = batch(4).x
    assert not torch.equal(model.encode(x).mu, model.encode(x, LABELS[:4]).mu)
    assert torch.equal(model.encode(x).mu, model.encode(x, torch.full((4,), -1)).mu)


def test_one_label_in_ten_is_dropped_while_training():
    model = make("cvae", n_classes=4)
    many = batch(20_000, torch.ones(20_000, dtype=torch.long), shape=(1, 1, 1))
    assert (model._some_unknown(many) == -1).float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert (model.eval()._some_unknown(many) == 1).all()
    assert (many.labels == 1).all()


def test_the_conditional_vae_learns_from_labels():
    model = make("cvae", n_classes=4)
    flat = torch.tensor([0.1, 0.4, 0.6, 0.9])[LABELS][:, None, None, None].expand(-1, 1, 8, 8)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(200):
        optimizer.zero_grad()
        model.losses(Batch(flat, flat, LABELS))["total"].backward()
        optimizer.step()
    drawn = model.eval().decode(torch.zeros(4, 3), LABELS[:4]).flatten(1).mean(1)
    assert drawn.tolist() == pytest.approx([0.1, 0.4, 0.6, 0.9], abs=0.1)


@pytest.mark.parametrize("name", ["cvae", "vq_vae"])
def test_what_stands_at_the_code_is_kept_with_the_weights(name, tmp_path):
    model = make(name, **({"n_classes": 4} if name == "cvae" else {})).eval()
    save_model(model, tmp_path / "w.safetensors", {})
    back, _ = load_model(tmp_path / "w.safetensors")
    x = batch().x
    assert torch.equal(back.decode(back.code(x)), model.decode(model.code(x)))
    assert torch.isfinite(back.losses(batch(labels=LABELS))["total"])


def noisy(kind, strength, shape=(1, 28, 28), value=0.5, count=200):
    torch.manual_seed(0)
    x = torch.full((count, *shape), value)
    return corrupt(DenoisingConfig(sample_shape=shape, kind=kind), Batch(x, x), strength)


@pytest.mark.parametrize("kind", NOISES)
def test_noise_of_no_strength_changes_nothing_and_all_stays_a_picture(kind):
    x = batch(shape=(3, 12, 9)).x
    config = DenoisingConfig(sample_shape=(3, 12, 9), kind=kind)
    assert torch.allclose(corrupt(config, Batch(x, x), 0.0), x, atol=1e-6)
    spoiled = corrupt(config, Batch(x, x), torch.tensor(2.0))
    assert spoiled.shape == x.shape
    assert ((spoiled >= 0) & (spoiled <= 1)).all()
    assert not torch.equal(spoiled, x)


def test_salt_and_pepper_hit_their_share_of_pixels_half_and_half_in_all_colours():
    x = noisy("salt_pepper", 0.3, (3, 28, 28))
    assert (x == 0).float().mean().item() == pytest.approx(0.15, abs=0.01)
    assert (x == 1).float().mean().item() == pytest.approx(0.15, abs=0.01)
    assert torch.equal(x[:, 0], x[:, 2])
    assert (noisy("salt_pepper", 2.0) == 0).float().mean().item() == pytest.approx(0.5, abs=0.01)


def test_masking_covers_its_share_with_square_blocks_laid_anew_for_every_image():
    x = noisy("masking", 0.3)
    assert (x == 0).float().mean().item() == pytest.approx(0.3, abs=0.03)
    assert not torch.equal(x[0], x[1])
    turns = (x[:, 0, :, 1:] != x[:, 0, :, :-1]).float().mean().item()  # blocks of 7: an edge every 7 pixels at most
    assert turns == pytest.approx(2 * 0.3 * 0.7 / 7, rel=0.15)
    assert (noisy("masking", 1.0) == 0).all()


def test_masking_takes_single_values_where_samples_are_no_images():
    assert (noisy("masking", 0.3, (50,)) == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert (noisy("salt_pepper", 0.4, (50,)) == 1).float().mean().item() == pytest.approx(0.2, abs=0.02)


def test_a_blur_keeps_the_brightness_and_takes_the_edges():
    x = torch.zeros(1, 1, 32, 32)
    x[..., 16:] = 1.0
    blurred = corrupt(DenoisingConfig(sample_shape=(1, 32, 32), kind="blur"), Batch(x, x), 0.5)  # sigma of 2 pixels
    assert blurred.mean().item() == pytest.approx(0.5, abs=1e-3)
    step = (blurred[..., 16] - blurred[..., 15])[0, 0, 0].item()
    assert step == pytest.approx(1 / (2 * math.sqrt(2 * math.pi)), rel=0.02)


def test_a_blur_of_what_is_no_image_is_refused():
    with pytest.raises(BadValue, match="needs images, not samples"):
        build(model_config({"variant": "denoising", "kind": "blur", "sample_shape": (6,)}))


@pytest.mark.parametrize("kind", NOISES)
def test_two_shares_of_a_batch_are_spoiled_as_the_whole_would_be(kind):
    config = DenoisingConfig(sample_shape=(1, 8, 8), kind=kind)
    x = batch().x
    torch.manual_seed(3)
    whole = corrupt(config, Batch(x, x), 0.5)
    shares = []
    for first, end in ((0, 10), (10, 16)):
        torch.manual_seed(3)
        share = x[first:end]
        shares.append(corrupt(config, Batch(share, share, part=(first, end, 16)), 0.5))
    assert torch.equal(torch.cat(shares), whole)

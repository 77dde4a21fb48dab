"""What the reconstruction losses say, against numbers that can be derived, and the pictures they decode to."""

import math

import numpy as np
import pytest
import torch

from aeviz.errors import BadValue
from aeviz.models import LOSSES, Batch, build, model_config
from aeviz.models.losses import ssim
from aeviz.models.ssim import smooth
from aeviz.scores import images

FAR = 40.0  # a logit whose sigmoid is 1 in float32


def make(loss, shape=(1, 8, 8), **settings):
    torch.manual_seed(0)
    return build(model_config({"sample_shape": shape, "latent_dim": 3, **settings}), loss)


def test_absolute_error_is_summed_over_pixels_and_averaged_over_the_batch():
    logits, target = torch.zeros(4, 1, 2, 2), torch.full((4, 1, 2, 2), 0.75)
    assert LOSSES["l1"].of(logits, target).item() == pytest.approx(4 * 0.25)


def test_huber_is_half_the_square_when_near_and_a_tenth_of_the_difference_when_far():
    logits = torch.zeros(1, 2)
    target = torch.tensor([[0.55, 1.0]])
    assert LOSSES["huber"].of(logits, target).item() == pytest.approx(0.05**2 / 2 + 0.1 * (0.5 - 0.05))


@pytest.mark.parametrize("levels", [2, 32, 256])
def test_cross_entropy_of_equal_levels_is_the_logarithm_of_their_number_per_value(levels):
    loss = LOSSES["categorical"].of(torch.zeros(3, levels, 1, 2, 5), torch.rand(3, 1, 2, 5))
    assert loss.item() == pytest.approx(10 * math.log(levels), rel=1e-5)


def test_a_sure_level_costs_nothing_and_is_decoded_to_its_brightness():
    target = torch.tensor([[0.0, 0.26, 0.74, 1.0]])  # the nearest of five levels: 0, .25, .75, 1
    logits = torch.full((1, 5, 4), -FAR)
    for place, level in enumerate([0, 1, 3, 4]):
        logits[0, level, place] = FAR
    assert LOSSES["categorical"].of(logits, target).item() == pytest.approx(0.0, abs=1e-6)
    assert LOSSES["categorical"].mean(logits)[0].tolist() == pytest.approx([0.0, 0.25, 0.75, 1.0])


def test_equal_levels_are_decoded_to_the_middle():
    mean = LOSSES["categorical"].mean(torch.zeros(2, 7, 3, 4, 4))
    assert mean.shape == (2, 3, 4, 4)
    assert mean.flatten().tolist() == pytest.approx([0.5] * mean.numel())


@pytest.mark.parametrize("body", ["dense", "conv"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 9, 12)], ids=str)
def test_the_decoder_has_as_many_channels_more_as_there_are_grey_levels(body, shape):
    model = make("categorical", shape, grey_levels=5, body={"name": body}).eval()
    x = torch.rand(2, *shape)
    assert model.decoder(torch.zeros(2, 3)).shape == (2, 5 * shape[0], *shape[1:])
    assert model.logits(torch.zeros(2, 3)).shape == (2, 5, *shape)
    assert model.decode(model.code(x)).shape == x.shape


def test_other_losses_leave_the_network_as_it_is():
    shapes = [{name: tuple(value.shape) for name, value in make(loss).state_dict().items()} for loss in ("mse", "l1")]
    assert shapes[0] == shapes[1]
    assert make("mse").decoder[-2].out_features == 64


def test_samples_that_are_no_images_are_counted_in_levels_but_not_compared_by_ssim():
    model = make("categorical", (6,), grey_levels=4).eval()
    x = torch.rand(2, 6)
    assert model.decode(model.code(x)).shape == x.shape
    assert torch.isfinite(model.losses(Batch(x, x))["total"])
    with pytest.raises(BadValue, match="compares images, not samples of shape"):
        make("ssim", (6,))


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 28, 28), (1, 11, 40), (1, 1, 5), (1, 2, 2)], ids=str)
def test_ssim_of_an_image_and_itself_is_one(shape):
    x = torch.rand(4, *shape)
    assert ssim(x, x).tolist() == pytest.approx([1.0] * 4, abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 12, 12), (3, 28, 28), (1, 33, 47)], ids=str)
def test_ssim_agrees_with_the_one_that_scores(shape):
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(4, *shape, generator=generator)
    y = (x + 0.2 * torch.randn(4, *shape, generator=generator)).clamp(0, 1)
    np.testing.assert_allclose(ssim(x, y).numpy(), images.ssim(x, y), atol=1e-4)


def test_ssim_of_two_flat_images_compares_their_brightness():
    x, y = torch.full((1, 1, 16, 16), 0.2), torch.full((1, 1, 16, 16), 0.6)
    assert ssim(x, y).item() == pytest.approx((2 * 0.12 + 1e-4) / (0.04 + 0.36 + 1e-4), rel=1e-4)


def test_the_ssim_mix_of_flat_images_is_its_two_parts_times_the_number_of_values():
    logits, target = torch.zeros(2, 1, 16, 16), torch.full((2, 1, 16, 16), 0.7)
    likeness = (0.7 + 1e-4) / (0.25 + 0.49 + 1e-4)
    expected = 256 * (0.84 * (1 - likeness) + 0.16 * 0.2)
    assert LOSSES["ssim"].of(logits, target).item() == pytest.approx(expected, rel=5e-3)


def test_smoothing_keeps_a_flat_image_and_spreads_a_point_like_a_gaussian():
    flat = torch.full((1, 1, 9, 12), 0.3)
    assert torch.allclose(smooth(flat, 2.0), flat)
    assert torch.allclose(smooth(flat, 1.0, radius=2), flat)
    point = torch.zeros(1, 1, 41, 41)
    point[..., 20, 20] = 1.0
    spread = smooth(point, 3.0)[0, 0]
    places = torch.arange(41.0) - 20
    assert spread.sum().item() == pytest.approx(1.0, abs=1e-4)
    assert (spread.sum(0) * places.square()).sum().sqrt().item() == pytest.approx(3.0, rel=1e-3)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_says_the_same_under_bfloat16(loss):
    model = make(loss).eval()
    x = torch.rand(4, 1, 8, 8)
    exact = model.losses(Batch(x, x))["total"]
    with torch.autocast("cpu", torch.bfloat16):
        rounded = model.losses(Batch(x, x))["total"]
    assert rounded.dtype == torch.float32
    assert rounded.item() == pytest.approx(exact.item(), rel=1e-2)


@pytest.mark.parametrize("loss", LOSSES)
def test_the_picture_of_a_loss_lies_in_zero_to_one(loss):
    model = make(loss).eval()
    x_hat = model.decode(100 * torch.randn(16, 3))
    assert ((x_hat >= 0) & (x_hat <= 1)).all()

"""Augmentation: every image is varied by itself, as torchvision's kernels vary one, and stays an image."""

import numpy as np
import pytest
import torch

from aeviz import data
from aeviz.errors import BadValue
from aeviz.runs.config import AugmentConfig
from aeviz.training.batches import augment
from aeviz.training.batches.augment import Augment

EACH = {
    "flip_horizontal": True, "flip_vertical": True, "shift": 0.2, "rotation": 30.0, "scale": 0.2, "crop": 0.3,
    "brightness": 0.5, "contrast": 0.5,
}  # fmt: skip
SHAPES = [(1, 8, 8), (3, 12, 9)]


def picture(n=6, channels=1, height=12, width=9, frame=0):
    """Smooth random pictures (n, C, H, W), with a black frame so that what lies outside does not matter."""
    small = torch.rand(n, channels, 4, 4, generator=torch.Generator().manual_seed(5))
    x = torch.nn.functional.interpolate(small, (height - 2 * frame, width - 2 * frame), mode="bilinear")
    return torch.nn.functional.pad(x, (frame,) * 4)


def vary(x, seed=0, **settings):
    torch.manual_seed(seed)
    return Augment(AugmentConfig(**settings), tuple(x.shape[1:]))(x)


def spread(n, low, high):
    return torch.linspace(low, high, n)


def test_every_setting_is_tried_here():
    assert set(EACH) == set(AugmentConfig.model_fields)


def test_with_all_off_the_batch_is_handed_on_and_nothing_is_drawn():
    x = picture()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    assert Augment(AugmentConfig(), (1, 12, 9))(x) is x
    assert torch.equal(torch.get_rng_state(), before)
    assert not augment.is_on(AugmentConfig())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", EACH)
def test_each_variation_changes_images_but_not_their_shape_and_keeps_them_in_range(name, shape):
    x = torch.rand(64, *shape, generator=torch.Generator().manual_seed(0))
    kept = x.clone()
    varied = vary(x, **{name: EACH[name]})
    assert varied.shape == x.shape
    assert varied.dtype == torch.float32
    assert not torch.equal(varied, x)
    assert torch.equal(x, kept), "the images at hand are left as they are"
    assert varied.min() >= 0.0
    assert varied.max() <= 1.0


@pytest.mark.parametrize("name", EACH)
def test_each_image_of_a_batch_is_varied_by_itself(name):
    x = picture(1).expand(32, -1, -1, -1)
    different = {tuple(image.flatten().tolist()) for image in vary(x, **{name: EACH[name]})}
    assert len(different) == 2 if name.startswith("flip") else len(different) > 8


@pytest.mark.parametrize("name", EACH)
def test_the_same_seed_gives_the_same_images_and_another_seed_does_not(name):
    x = picture(16)
    settings = {name: EACH[name]}
    assert torch.equal(vary(x, **settings), vary(x, **settings))
    assert not torch.equal(vary(x, **settings), vary(x, seed=1, **settings))


def test_switching_one_variation_on_leaves_the_others_draws_alone():
    x = picture(16)
    mirrored = vary(x, flip_horizontal=True)
    assert torch.equal(vary(x, flip_horizontal=True, contrast=0.5), vary(mirrored, contrast=0.5))


def test_a_part_of_a_batch_is_varied_as_it_is_in_the_whole():
    x = picture(10)
    whole = vary(x, **EACH)
    torch.manual_seed(0)
    part = Augment(AugmentConfig(**EACH), (1, 12, 9))(x[4:7], part=(4, 7, 10))
    torch.testing.assert_close(part, whole[4:7])


def test_about_half_of_the_images_are_mirrored_exactly():
    x = picture(400)
    varied = vary(x, flip_horizontal=True)
    is_mirrored = (varied == x.flip(-1)).flatten(1).all(1)
    assert bool((is_mirrored | (varied == x).flatten(1).all(1)).all())
    assert 160 < int(is_mirrored.sum()) < 240


def test_a_shift_moves_by_whole_pixels_and_repeats_the_edge():
    image = torch.arange(12.0).view(1, 1, 3, 4) / 12
    no = torch.tensor([False])
    moved = augment.move(image, torch.tensor([1]), torch.tensor([-2]), no, no)
    expected = torch.tensor([[2, 3, 3, 3], [2, 3, 3, 3], [6, 7, 7, 7]]).view(1, 1, 3, 4) / 12
    assert torch.equal(moved, expected)


def test_a_shift_goes_as_far_as_asked_and_no_further():
    x = torch.zeros(2000, 1, 1, 41)
    x[..., 20] = 1.0
    places = vary(x, shift=0.2).argmax(dim=-1).flatten() - 20
    assert (int(places.min()), int(places.max())) == (-8, 8)
    assert abs(float(places.float().mean())) < 0.5


@pytest.mark.parametrize("channels", [1, 3])
def test_turning_and_scaling_are_those_of_torchvision(channels):
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as v2

    x = picture(7, channels, 24, 20, frame=7)
    degrees, scale, whole, middle = spread(7, -90, 90), spread(7, 1.3, 0.7), torch.ones(7), torch.zeros(7)
    turned = augment.warp(x, degrees.deg2rad(), scale, whole, middle, middle)
    for image, angle, factor, ours in zip(x, degrees.tolist(), scale.tolist(), turned, strict=True):
        theirs = v2.affine(image, angle, [0, 0], factor, [0.0, 0.0], InterpolationMode.BILINEAR)
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_crop_is_that_of_torchvision(channels):
    from torchvision.transforms.v2 import functional as v2

    x = picture(4, channels, 24, 16)
    # 12 x 8 of 24 x 16: in the corners, and two rows and a column further.
    down, right = torch.tensor([-1, 1, -1, 2 / 6 - 1]), torch.tensor([-1, 1, 1, 1 / 4 - 1])
    cropped = augment.warp(x, torch.zeros(4), torch.ones(4), torch.full((4,), 0.5), down, right)
    corners = [(0, 0), (12, 8), (0, 8), (2, 1)]
    for image, (top, left), ours in zip(x, corners, cropped, strict=True):
        theirs = v2.resized_crop(image, top, left, 12, 8, [24, 16], antialias=False)
        # At the very edge torchvision's cut knows nothing of what lay beside it.
        torch.testing.assert_close(ours[:, 1:-1, 1:-1], theirs[:, 1:-1, 1:-1], atol=1e-5, rtol=0)


def test_a_crop_cuts_off_as_much_of_the_area_as_asked():
    across = torch.linspace(0, 1, 101).expand(3000, 1, 101, 101)
    varied = vary(across, crop=0.5)
    seen = (varied[:, 0, 50, 100] - varied[:, 0, 50, 0]) ** 2  # the shown share of the width, squared
    assert float(seen.min()) == pytest.approx(0.5, abs=0.02)
    assert float(seen.max()) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("channels", [1, 3])
def test_brightness_and_contrast_are_those_of_torchvision(channels):
    from torchvision.transforms.v2 import functional as v2

    x = picture(5, channels)
    brightness, contrast = spread(5, 0.3, 1.8), spread(5, 1.9, 0.1)
    coloured = augment.colour(x, brightness, contrast)
    for image, lighter, harder, ours in zip(x, brightness, contrast, coloured, strict=True):
        theirs = v2.adjust_contrast(v2.adjust_brightness(image, float(lighter)), float(harder))
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_samples_that_are_no_images_cannot_be_varied():
    with pytest.raises(BadValue, match=r"\(7,\); turn off shift and crop"):
        Augment(AugmentConfig(shift=0.1, crop=0.1), (7,))
    x = torch.rand(3, 7)
    assert Augment(AugmentConfig(), (7,))(x) is x


def test_eight_images_are_shown_as_they_will_be_fed():
    dataset = data.load("digits")
    images = dataset.images[dataset.rows("train")[:8]]
    config = AugmentConfig(rotation=20.0, shift=0.1)
    first = augment.shown(config, images, seed=3)
    assert first.shape == images.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, augment.shown(config, images, seed=3))
    assert not np.array_equal(first, augment.shown(config, images, seed=4))
    assert np.array_equal(augment.shown(AugmentConfig(), images, seed=0), images)


def test_showing_draws_nothing_from_the_trainings_generator():
    images = np.zeros((2, 1, 8, 8), np.uint8)
    before = torch.get_rng_state()
    augment.shown(AugmentConfig(**EACH), images, seed=0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_batch_on_the_device_stays_there_and_is_never_waited_for():
    x = picture(16).cuda()
    vary(x, **EACH)
    torch.cuda.set_sync_debug_mode("error")
    try:
        assert vary(x, **EACH).device == x.device
    finally:
        torch.cuda.set_sync_debug_mode("default")

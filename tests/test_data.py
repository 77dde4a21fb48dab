"""The contract of every registered data set, and the numbers of the carried ones."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from aeviz import data
from aeviz.data import counter_rng, splits
from aeviz.data.sources import carried, shapes
from aeviz.errors import BadValue, MissingData, UnknownName

ROOT = Path(data.__file__).parents[2]
GIVEN = os.environ.get("AEVIZ_DATA", "")  # before a test gets folders of its own
FIXED_PERMUTATION = [0, 3, 4, 7, 1, 6, 5, 2]
FIXED_VAL = [24, 35, 49, 60, 75]


@pytest.fixture(params=data.DATASETS)
def dataset(request, monkeypatch):
    if GIVEN:
        monkeypatch.setenv("AEVIZ_DATA", GIVEN)
    if not data.DATASETS[request.param].is_ready():
        pytest.skip(f"{request.param} is not at hand (AEVIZ_DATA may name a folder that holds it)")
    return data.load(request.param)


def test_a_set_is_what_its_source_says(dataset):
    source = data.DATASETS[dataset.name]
    assert (len(dataset), dataset.shape, dataset.classes) == (source.n, source.image_shape, source.classes)
    assert dataset.images[:3].dtype == np.uint8
    assert dataset.images[np.array([2, 0])].shape == (2, *dataset.shape)
    assert np.array_equal(dataset.images[np.array([2, 0])], dataset.images[:3][[2, 0]])
    assert dataset.labels.dtype == np.int64
    assert set(np.unique(dataset.labels)) == set(range(len(dataset.classes)))
    assert all(len(values) == len(dataset) for values in dataset.columns.values())
    assert dataset.files is None
    assert not dataset.own


def test_splits_are_disjoint_and_whole_with_train_rows_first(dataset):
    train, val, test = (dataset.rows(split) for split in ("train", "val", "test"))
    assert np.array_equal(np.sort(np.concatenate([train, val, test])), np.arange(len(dataset)))
    assert max(train.max(), val.max()) < test.min()
    assert all(rows.dtype == np.int64 and (np.diff(rows) > 0).all() for rows in (train, val, test))
    assert len(val) == min(2000, round(0.1 * (len(train) + len(val))))


def test_a_set_is_the_same_whenever_it_is_loaded(dataset):
    again = data.load(dataset.name)
    assert (again.hash, again.params) == (dataset.hash, dataset.params)
    assert len(dataset.hash) == 64
    assert np.array_equal(again.labels, dataset.labels)
    assert np.array_equal(again.images[:50], dataset.images[:50])
    assert all(np.array_equal(again.splits[name], rows) for name, rows in dataset.splits.items())


def test_the_list_tells_of_all_sets_without_loading_them(tmp_path, monkeypatch):
    monkeypatch.setenv("AEVIZ_DATA", str(tmp_path))
    infos = data.list_data()
    assert [info.name for info in infos] == list(data.DATASETS)
    assert [info.name for info in infos if info.ready] == ["digits", "shapes", "photo_patches"]
    assert infos[3].n == 70_000
    assert infos[3].shape == (1, 28, 28)


def test_digits_have_the_numbers_that_are_published():
    dataset = data.load("digits")
    # https://scikit-learn.org/stable/modules/generated/sklearn.datasets.load_digits.html, counts from its description
    assert np.bincount(dataset.labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert (dataset.images.min(), dataset.images.max()) == (0, 255)
    assert [len(dataset.rows(split)) for split in ("train", "val", "test")] == [1294, 144, 359]
    assert set(np.unique(dataset.images)) == {round(level * 255 / 16) for level in range(17)}


def test_splits_never_change():
    assert counter_rng.fixed_permutation("digits", 0, 8).tolist() == FIXED_PERMUTATION
    assert data.load("digits").rows("val")[:5].tolist() == FIXED_VAL


def test_splitmix64_gives_the_reference_stream():
    # The first outputs for seed 0, as in https://rosettacode.org/wiki/Pseudo-random_numbers/Splitmix64 and its source.
    first = counter_rng._mix((np.arange(1, 3, dtype=np.uint64)) * counter_rng.GOLDEN)
    assert first.tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4]


@pytest.mark.parametrize("n", [3, 4, 5, 9, 10, 11])
def test_tiny_sets_have_an_image_in_every_split(n):
    train, test = splits.hold_out("tiny", n)
    made = splits.make_splits("tiny", len(train), len(test))
    assert all(len(rows) for rows in made.values())
    assert sorted(np.concatenate(list(made.values()))) == list(range(n))


def test_train_and_test_share_no_pixel_of_a_photograph():
    dataset = data.load("photo_patches")
    seen = {}
    for split in ("train", "val", "test"):
        seen[split] = np.zeros((2, 427, 640), bool)
        for row in dataset.rows(split):
            x, y = int(dataset.columns["x"][row]), int(dataset.columns["y"][row])
            seen[split][dataset.labels[row], y : y + 32, x : x + 32] = True
    assert not (seen["train"] & seen["test"]).any()
    assert not (seen["val"] & seen["test"]).any()
    assert not (seen["train"] & seen["val"]).any()


def test_patches_are_cut_where_their_columns_say():
    from sklearn.datasets import load_sample_images

    dataset, photos = data.load("photo_patches"), load_sample_images().images
    for row in (0, 1234, 3499):
        x, y = int(dataset.columns["x"][row]), int(dataset.columns["y"][row])
        crop = photos[dataset.labels[row]][y : y + 32, x : x + 32]
        assert np.array_equal(dataset.images[row], crop.transpose(2, 0, 1))
    assert carried.crop_places(2)[..., 1:].max(axis=(0, 1)).tolist() == [340 + 48, 576 + 32]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_shape_depends_on_seed_and_row_alone(channels):
    few = data.load("shapes", {"count": 40, "channels": channels})
    many = data.load("shapes", {"count": 1_000_000, "channels": channels})
    rows = np.array([39, 0, -1, 17])
    assert np.array_equal(few.images[rows[[0, 1, 3]]], many.images[rows[[0, 1, 3]]])
    assert np.array_equal(many.images[-1], many.images[np.array([999_999])][0])
    assert np.array_equal(few.images[5:9], np.asarray(few.images)[5:9])
    assert np.array_equal(few.images[few.labels == 2], np.asarray(few.images)[few.labels == 2])
    assert ("hue" in few.columns) == (channels == 3)
    other = data.load("shapes", {"count": 40, "channels": channels, "seed": 1})
    assert other.hash != few.hash
    assert not np.array_equal(other.images[:], few.images[:])


def test_shapes_have_the_size_and_place_their_columns_say():
    dataset = data.load("shapes", {"count": 400, "size": 64})
    cover = dataset.images[:].astype(float)[:, 0] / 255
    radius = shapes.MAX_RADIUS * dataset.columns["scale"] * 64
    assert cover.sum(axis=(1, 2)) == pytest.approx(np.pi * radius**2, rel=0.03)
    middles = np.arange(64) + 0.5
    even = dataset.labels <= 1  # squares and ellipses have their centre of mass in the middle
    x = (cover.sum(axis=1) @ middles) / cover.sum(axis=(1, 2)) / 64
    y = (cover.sum(axis=2) @ middles) / cover.sum(axis=(1, 2)) / 64
    assert x[even] == pytest.approx(dataset.columns["x"][even], abs=0.002)
    assert y[even] == pytest.approx(dataset.columns["y"][even], abs=0.002)
    edges = np.concatenate([cover[:, [0, -1]].ravel(), cover[:, :, [0, -1]].ravel()])
    assert edges.max() == 0


def test_rotations_are_canonical():
    dataset = data.load("shapes", {"count": 4000})
    for number, (_, turn) in enumerate(shapes.SHAPES.values()):
        rotation = dataset.columns["rotation"][dataset.labels == number]
        assert 0 <= rotation.min() < 0.1 * turn
        assert 0.9 * turn < rotation.max() < turn


def test_rows_outside_of_the_shapes_are_refused():
    images = data.load("shapes", {"count": 5}).images
    assert images[np.array([], int)].shape == (0, 1, 32, 32)
    with pytest.raises(IndexError):
        images[np.array([5])]
    with pytest.raises(IndexError):
        images[np.array([True])]


def test_unknown_names_and_settings_are_named():
    with pytest.raises(UnknownName, match=r"'emnist'.*digits, shapes"):
        data.load("emnist")
    with pytest.raises(BadValue, match="count"):
        data.load("shapes", {"count": 0})
    with pytest.raises(BadValue, match="3 or more"):
        data.load("shapes", {"count": 2})
    with pytest.raises(BadValue, match="colour"):
        data.load("digits", {"colour": 1})
    with pytest.raises(BadValue, match="train, val and test"):
        data.load("digits").rows("all")
    with pytest.raises(BadValue, match="built in"):
        data.delete("digits")
    with pytest.raises(UnknownName):
        data.delete("nothing")


def test_a_public_set_that_is_missing_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setenv("AEVIZ_DATA", str(tmp_path))
    with pytest.raises(MissingData) as caught:
        data.load("cifar10")
    for hint in ("python -m aeviz data get cifar10", str(tmp_path / "cifar-10-batches-py"), "digits, shapes and photo"):
        assert hint in str(caught.value)


def test_importing_data_stays_light():
    code = "import sys, aeviz.data; print([m for m in ('torch', 'sklearn', 'scipy', 'streamlit') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_a_mosaic_keeps_pixels_hard_and_leaves_gaps():
    images = np.arange(3 * 4, dtype=np.uint8).reshape(3, 1, 2, 2)
    picture = data.mosaic(images, columns=2, scale=3, gap=1, gap_colour=(9, 8, 7))
    assert picture.shape == (13, 13, 3)
    assert np.array_equal(picture[:6, :6, 0], np.kron(images[0, 0], np.ones((3, 3), np.uint8)))
    assert picture[6, 0].tolist() == picture[12, 12].tolist() == [9, 8, 7]
    assert data.mosaic(images[:0], columns=2).shape == (2, 5, 3)


def test_originals_stand_over_their_reconstructions():
    x = np.full((3, 3, 2, 2), 10, np.uint8)
    x_hat = np.full((3, 3, 2, 2), 20, np.uint8)
    picture = data.originals_over_reconstructions(x, x_hat, columns=2, gap=1)
    assert picture.shape == (2 + 1 + 2 + 4 + 2 + 1 + 2, 5, 3)
    assert picture[0, 0, 0] == picture[9, 0, 0] == 10
    assert picture[3, 0, 0] == picture[12, 0, 0] == 20


@pytest.mark.parametrize("encode", [data.encode_png, data.encode_webp])
def test_encoded_pictures_decode_to_the_same_pixels(encode):
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    assert np.array_equal(data.read_image(encode(picture), (3, 16, 16)), picture.transpose(2, 0, 1))


def test_error_maps_are_black_where_equal_and_bright_at_the_maximum():
    x = np.zeros((1, 3, 1, 3), np.uint8)
    x_hat = x.copy()
    x_hat[0, :, 0, 1], x_hat[0, :, 0, 2] = 51, 255
    colours = data.error_map(x, x_hat, maximum=0.2)
    assert colours[0, :, 0].T.tolist() == [[0, 0, 0], [252, 253, 191], [252, 253, 191]]
    half = data.error_map(x, x_hat, maximum=0.4)
    assert half[0, :, 0, 1].tolist() == [181, 54, 122]


def test_signed_error_maps_end_at_the_largest_error_on_either_side():
    x = np.full((1, 2, 1, 3), 0.5, np.float32)
    x_hat = x.copy()
    x_hat[0, :, 0, 0], x_hat[0, 0, 0, 2] = 0.75, 0.25  # +0.25 in both channels; -0.125 on average
    colours, most = data.pictures.signed_error_map(x, x_hat, ("#0000ff", "#000000", "#ff0000"))
    assert most == 0.25
    assert colours[0, :, 0].T.tolist() == [[255, 0, 0], [0, 0, 0], [0, 0, 128]]
    same, nothing = data.pictures.signed_error_map(x, x, ("#0000ff", "#000000", "#ff0000"))
    assert nothing == 0
    assert not same.any()


def test_units_convert_there_and_back_and_nan_is_black():
    pixels = np.arange(256, dtype=np.uint8)
    assert np.array_equal(data.to_pixels(data.to_unit(pixels)), pixels)
    assert data.to_unit(pixels).dtype == np.float32
    assert data.to_pixels(np.array([np.nan, -1, 2, np.inf])).tolist() == [0, 0, 255, 255]

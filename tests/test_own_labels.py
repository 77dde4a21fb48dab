"""Labels of a person's own: kept with the set, one an image, and a colour of the map."""

import numpy as np
import pytest

from aeviz import data
from aeviz.data import own_labels
from aeviz.errors import BadValue


def test_labels_are_kept_and_read_as_a_column():
    digits = data.load("digits")
    assert own_labels.COLUMN not in digits.columns
    own_labels.label_images(digits, np.array([3, 5]), "  odd   ones ")
    own_labels.label_images(digits, np.array([5, 7]), "others")
    labels = data.load("digits").columns[own_labels.COLUMN]
    assert labels[[3, 5, 7, 8]].tolist() == ["odd ones", "others", "others", ""]
    assert data.load("digits").hash == digits.hash, "what was trained on stays the same set"


def test_an_empty_label_takes_labels_away():
    digits = data.load("digits")
    own_labels.label_images(digits, np.arange(4), "some")
    own_labels.label_images(digits, np.arange(4), " ")
    assert own_labels.COLUMN not in data.load("digits").columns


def test_labels_of_one_set_are_not_anothers():
    own_labels.label_images(data.load("digits"), np.array([0]), "mine")
    assert own_labels.COLUMN not in data.load("photo_patches").columns


def test_a_label_too_long_is_refused_with_its_length():
    with pytest.raises(BadValue, match="61"):
        own_labels.label_images(data.load("digits"), np.array([0]), "x" * 61)


def test_a_damaged_file_means_no_labels():
    digits = data.load("digits")
    own_labels.label_images(digits, np.array([0]), "mine")
    own_labels._path(digits).write_bytes(b"nothing")
    assert own_labels.own_labels(digits) is None

"""Public sets: reading what lies there, and downloads that fail, stop or succeed (without any network)."""

import gzip
import hashlib
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from aeviz import data
from aeviz.data import folders
from aeviz.data.sources import downloading, public
from aeviz.errors import BadFile, BadValue, MissingData, Stopped, UnknownName

PUBLIC = [name for name, source in data.DATASETS.items() if isinstance(source, public.PublicSet)]
WRITE_IDX = """
import os, struct, sys
raw = os.path.join(sys.argv[1], "MNIST", "raw")
os.makedirs(raw)
for kind, n in (("train", 50), ("t10k", 10)):
    images = struct.pack(">4I", 2051, n, 28, 28) + bytes(i % 256 for i in range(n * 784))
    labels = struct.pack(">2I", 2049, n) + bytes(i % 10 for i in range(n))
    for what, content in (("images-idx3", images), ("labels-idx1", labels)):
        open(os.path.join(raw, f"{kind}-{what}-ubyte"), "wb").write(content)
        open(os.path.join(raw, f"{kind}-{what}-ubyte.gz"), "wb").write(b"packed")
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AEVIZ_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def fake(monkeypatch):
    """Have a small script take torchvision's place."""

    def become(script):
        monkeypatch.setattr(downloading, "fetch_command", lambda _, folder: [sys.executable, "-c", script, str(folder)])

    return become


def write_mnist(root):
    """A small MNIST as torchvision leaves it; the folder of its files."""
    subprocess.run([sys.executable, "-c", WRITE_IDX, str(root)], check=True)
    return root / "MNIST" / "raw"


@pytest.mark.parametrize("name", PUBLIC)
def test_a_failed_download_says_why_kindly_and_leaves_nothing(home, fake, name):
    fake(
        "import sys; open(sys.argv[1] + '/half.gz', 'w').write('x'); print('HTTPError: HTTP Error 403: Forbidden'); sys.exit(1)"
    )
    with pytest.raises(MissingData) as caught:
        data.download(name)
    message = str(caught.value)
    for part in (data.DATASETS[name].label, "error 403", str(home), "digits, shapes and photo_patches"):
        assert part in message
    assert "\n" not in message
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        ("URLError: <urlopen error [Errno -2] Name or service not known>", "was not found"),
        ("RuntimeError: Error downloading x: Tried http://a, got: HTTP Error 503: Busy", "error 503"),
        ("TimeoutError: timed out", "in time"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("RuntimeError: File not found or corrupted.", "checksum"),
        ("URLError: <urlopen error Tunnel connection failed: 403 Forbidden>", "connection was lost"),
        ("ConnectionResetError: [Errno 104] Connection reset by peer", "connection was lost"),
        ("ZeroDivisionError: x", "ZeroDivisionError"),
    ],
)
def test_reasons_are_short_words(failure, words):
    assert words in downloading.short_reason(failure)


def test_a_download_that_ends_well_but_brings_nothing_has_failed(home, fake):
    fake("pass")
    with pytest.raises(MissingData):
        data.download("mnist")
    assert list(home.iterdir()) == []


def test_a_stop_ends_the_download_at_once(home, fake):
    fake(
        "import os, sys, time; print(os.getpid(), flush=True); open(sys.argv[1] + '/half.gz', 'w').write('x' * 99); time.sleep(60)"
    )
    seen = []

    def report(done, total, message=""):
        seen.append((done, total, message))
        if done:
            raise Stopped("stopped as asked")

    with pytest.raises(Stopped):
        data.download("mnist", report)
    assert seen[-1] == (99, public.MNIST.download_bytes, "Downloading MNIST")
    assert list(home.iterdir()) == []


def test_a_finished_download_is_moved_in_and_reported(home, fake):
    fake(WRITE_IDX)
    seen = []
    data.download("mnist", lambda *progress: seen.append(progress))
    assert seen
    assert sorted(path.name for path in home.iterdir()) == ["MNIST"]
    assert sorted(path.name for path in (home / "MNIST" / "raw").iterdir()) == sorted(public.MNIST.needed)
    dataset = data.load("mnist")
    assert dataset.images.shape == (60, 1, 28, 28)
    assert [len(dataset.rows(split)) for split in ("train", "val", "test")] == [45, 5, 10]
    assert dataset.labels[:12].tolist() == [*range(10), 0, 1]
    fake("import sys; sys.exit(1)")
    data.download("mnist")  # at hand already: nothing is fetched


def test_a_download_completes_a_folder_that_stands_there_half(home, fake):
    (home / "MNIST" / "raw").mkdir(parents=True)
    (home / "MNIST" / "raw" / "train-images-idx3-ubyte").write_bytes(b"half")
    fake(WRITE_IDX)
    data.download("mnist")
    assert len(data.load("mnist")) == 60


def test_leftovers_of_dead_tries_are_swept_and_living_ones_stay(home):
    (home / ".download-mnist-1").mkdir(parents=True)
    (home / ".download-mnist-1.lock").touch()
    (home / ".download-cifar10-2").mkdir()
    with folders.temporary_folder(home, "download", "kmnist") as living:
        with folders.temporary_folder(home, "download", "mnist") as other:
            assert {path.name for path in home.iterdir() if path.is_dir()} == {living.name, other.name}
        assert living.is_dir()
    assert list(home.iterdir()) == []


def test_carried_sets_need_no_download_and_unknown_ones_are_named(home):
    data.download("digits")
    assert not home.exists()
    with pytest.raises(UnknownName, match="'emnist'"):
        data.download("emnist")


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("AEVIZ_DATA", str(tmp_path / "file"))
    with pytest.raises(BadValue, match="AEVIZ_DATA"):
        data.download("mnist")


def test_the_real_script_ends_with_one_line_where_torchvision_fails(home, monkeypatch):
    monkeypatch.setattr(public.MNIST, "torchvision_name", "NoSuchSet")
    with pytest.raises(MissingData, match="NoSuchSet"):
        data.download("mnist")


@pytest.mark.parametrize("name", PUBLIC)
def test_torchvision_has_a_set_of_that_name_in_that_folder(name):
    from torchvision import datasets

    source = data.DATASETS[name]
    original = getattr(datasets, source.torchvision_name)
    if hasattr(original, "resources"):
        assert tuple(file.removesuffix(".gz") for file, _ in original.resources) == source.needed
        assert source.folder == f"{original.__name__}/raw"
    elif hasattr(original, "base_folder"):
        assert source.folder == original.base_folder
        assert dict(original.train_list + original.test_list) == source.sums
    else:
        assert dict(original.split_list[split][1:] for split in ("train", "test")) == source.sums


def test_files_are_found_in_any_folder_packed_or_not(tmp_path, monkeypatch):
    raw = write_mnist(tmp_path / "second")
    monkeypatch.setenv("AEVIZ_DATA", os.pathsep.join([str(tmp_path / "first"), str(tmp_path / "second")]))
    plain = data.load("mnist")
    for name in public.MNIST.needed:
        (raw / f"{name}.gz").write_bytes(gzip.compress((raw / name).read_bytes()))
        (raw / name).unlink()
    packed = data.load("mnist")
    assert packed.hash == plain.hash
    assert np.array_equal(packed.images, plain.images)
    assert not (tmp_path / "first").exists()


@pytest.mark.parametrize("damage", [b"", b"\0" * 20, "cut", "swapped"])
def test_damaged_files_are_named(home, damage):
    raw = write_mnist(home)
    images = raw / "train-images-idx3-ubyte"
    content = {"cut": images.read_bytes()[:-1], "swapped": (raw / "train-labels-idx1-ubyte").read_bytes()}
    images.write_bytes(content.get(damage, damage) if isinstance(damage, str) else damage)
    with pytest.raises(BadFile, match="train-images"):
        data.load("mnist")


def write_cifar(folder, evil=b""):
    """CIFAR-10 with 2 images a batch; the sums (torchvision's form) that belong to it."""
    folder.mkdir(parents=True)
    sums = {}
    for number, name in enumerate(public.CIFAR10.needed[:-1]):
        pixels = np.full((2, 3072), number, np.uint8)
        content = evil or pickle.dumps({"data": pixels, "labels": [number, 9 - number]})
        (folder / name).write_bytes(content)
        sums[name] = hashlib.md5(content).hexdigest()
    (folder / "batches.meta").write_bytes(b"")
    return sums


def test_cifar_is_read_in_order_once_its_sums_hold(home, monkeypatch):
    monkeypatch.setattr(public.CIFAR10, "sums", write_cifar(home / "cifar-10-batches-py"))
    dataset = data.load("cifar10")
    assert dataset.images.shape == (12, 3, 32, 32)
    assert dataset.images[:, 0, 0, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert dataset.labels.tolist() == [0, 9, 1, 8, 2, 7, 3, 6, 4, 5, 5, 4]
    assert dataset.rows("test").tolist() == [10, 11]


def test_pickles_with_another_sum_are_never_opened(home):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(home / "opened"),)

    write_cifar(home / "cifar-10-batches-py", pickle.dumps(Evil()))
    with pytest.raises(BadFile, match="MD5"):
        data.load("cifar10")
    assert not (home / "opened").exists()


def test_svhn_is_turned_upright_and_its_ten_is_a_zero(home, monkeypatch):
    from scipy.io import savemat

    home.mkdir()
    sums = {}
    for split, n in (("train", 5), ("test", 3)):
        images = np.zeros((32, 32, 3, n), np.uint8)
        images[1, 2, 0, :] = np.arange(n) + 1  # row 1, column 2, red
        path = home / f"{split}_32x32.mat"
        savemat(path, {"X": images, "y": np.array([[10]] + [[1]] * (n - 1), np.uint8)})
        sums[path.name] = hashlib.md5(path.read_bytes()).hexdigest()
    monkeypatch.setattr(public.SVHN, "sums", sums)
    dataset = data.load("svhn")
    assert dataset.images.shape == (8, 3, 32, 32)
    assert dataset.images[:, 0, 1, 2].tolist() == [1, 2, 3, 4, 5, 1, 2, 3]
    assert dataset.labels.tolist() == [0, 1, 1, 1, 1, 0, 1, 1]

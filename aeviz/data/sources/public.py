"""The public sets, read from the files of torchvision's downloader."""

import gzip
import hashlib
import io
import pickle
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from aeviz.config import Settings
from aeviz.data.dataset import Dataset, Report, Source, report_nothing
from aeviz.data.folders import data_root, data_roots
from aeviz.data.sources.carried import CARRIED
from aeviz.data.sources.downloading import download_set
from aeviz.data.splits import make_splits
from aeviz.errors import BadFile, MissingData

IDX_IMAGES, IDX_LABELS = 2051, 2049  # magic numbers: unsigned bytes in 3 dimensions and in 1


class PublicSet(Source):
    """A set that is downloaded once; subclasses set these attributes and implement `read`."""

    torchvision_name: ClassVar[str]
    folder: ClassVar[str]
    needed: ClassVar[tuple[str, ...]]
    manual_files: ClassVar[str]
    download_bytes: ClassVar[int]

    def find(self) -> Path | None:
        """The first folder that holds all files of the set, or None."""
        folders = (root / self.folder for root in data_roots())
        return next((folder for folder in folders if self._holds_all(folder)), None)

    def is_ready(self) -> bool:
        """Whether one of the data folders holds all its files."""
        return self.find() is not None

    def manual_download(self) -> str:
        """Which files to put where, as text."""
        return f"{self.manual_files} into {(data_root() / self.folder).absolute()}"

    def load(self, params: Settings) -> Dataset:
        """Load the data set with its own test split.

        Raises:
            MissingData: its files have not been downloaded.
            BadFile: its files are damaged.
        """
        folder = self.find()
        if folder is None:
            raise MissingData(
                "{label} has not been downloaded; get it with `python -m aeviz data get {name}` or put {where}; "
                "{carried} need no download",
                label=self.label,
                name=self.name,
                where=self.manual_download(),
                carried=CARRIED,
            )
        images, labels, n_train = self.read(folder)
        return self.dataset(images, labels, make_splits(self.name, n_train, len(labels) - n_train))

    def read(self, folder: Path) -> tuple[np.ndarray, np.ndarray, int]:
        """Read images (N, C, H, W) uint8 and labels (N,), train first, and the number of training images."""
        raise NotImplementedError

    def download(self, report: Report = report_nothing) -> None:
        """Download the set with torchvision's downloader, which verifies checksums.

        Raises:
            MissingData: the download failed; nothing is left behind.
            Stopped: the user stopped it.
        """
        if not self.is_ready():
            download_set(self, report)

    def _holds_all(self, folder: Path) -> bool:
        return all((folder / name).is_file() for name in self.needed)


class MNIST(PublicSet):
    """LeCun's handwritten digits; the other sets in this file format derive from it."""

    name = "mnist"
    label = "MNIST"
    description = "70,000 handwritten digits of 28 x 28 pixels."
    origin = "LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/, CC BY-SA 3.0."
    n = 70_000
    image_shape = (1, 28, 28)
    classes = tuple("0123456789")
    torchvision_name = "MNIST"
    folder = "MNIST/raw"
    needed = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    manual_files = ", ".join(needed) + " (as .gz or unpacked)"
    download_bytes = 11_594_722

    def read(self, folder: Path) -> tuple[np.ndarray, np.ndarray, int]:
        """Read images (N, 1, 28, 28), labels (N,) and the number of training images."""
        train_images, train_labels, test_images, test_labels = (folder / name for name in self.needed)
        images, n_train = read_idx(train_images, test_images, IDX_IMAGES)
        labels, n_labelled = read_idx(train_labels, test_labels, IDX_LABELS)
        if (len(labels), n_labelled) != (len(images), n_train) or images.shape[1:] != self.image_shape[1:]:
            raise BadFile("the files of {label} in {folder} do not match", label=self.label, folder=folder)
        return images[:, None], labels.astype(np.int64), n_train  # (N, H, W) -> (N, 1, H, W)

    def _holds_all(self, folder: Path) -> bool:
        return all((folder / name).is_file() or (folder / f"{name}.gz").is_file() for name in self.needed)


class FashionMNIST(MNIST):
    """Zalando's clothing items."""

    name = "fashion_mnist"
    label = "Fashion-MNIST"
    description = "70,000 pieces of clothing of 28 x 28 pixels, in ten kinds."
    origin = "Xiao, Rasul and Vollgraf, https://github.com/zalandoresearch/fashion-mnist, MIT."
    classes = (
        *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
        *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
    )
    torchvision_name = "FashionMNIST"
    folder = "FashionMNIST/raw"
    download_bytes = 30_878_645


class KMNIST(MNIST):
    """Cursive Japanese characters."""

    name = "kmnist"
    label = "Kuzushiji-MNIST"
    description = "70,000 cursive Japanese characters of 28 x 28 pixels, in ten classes."
    origin = "Clanuwat et al., http://codh.rois.ac.jp/kmnist/, CC BY-SA 4.0."
    classes = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
    torchvision_name = "KMNIST"
    folder = "KMNIST/raw"
    download_bytes = 21_240_888


class CIFAR10(PublicSet):
    """Small colour photographs; the files are pickles, unpickled only after their MD5 is verified."""

    name = "cifar10"
    label = "CIFAR-10"
    description = "60,000 colour photographs of 32 x 32 pixels, in ten kinds."
    origin = "Krizhevsky, https://www.cs.toronto.edu/~kriz/cifar.html."
    n = 60_000
    image_shape = (3, 32, 32)
    classes = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    torchvision_name = "CIFAR10"
    folder = "cifar-10-batches-py"
    sums: ClassVar[dict[str, str]] = {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    }
    needed = (*sums, "batches.meta")
    manual_files = "data_batch_1 to data_batch_5, test_batch and batches.meta (from cifar-10-python.tar.gz)"
    download_bytes = 170_498_071

    def read(self, folder: Path) -> tuple[np.ndarray, np.ndarray, int]:
        """Read images (N, 3, 32, 32), labels (N,) and the number of training images."""
        batches = [pickle.loads(read_checked(folder / name, md5), encoding="latin1") for name, md5 in self.sums.items()]
        images = np.concatenate([batch["data"] for batch in batches]).reshape(-1, *self.image_shape)
        labels = np.concatenate([np.asarray(batch["labels"], np.int64) for batch in batches])
        return images, labels, sum(len(batch["labels"]) for batch in batches[:-1])


class SVHN(PublicSet):
    """House numbers from street views."""

    name = "svhn"
    label = "SVHN"
    description = "99,289 digits of house numbers in colour, 32 x 32 pixels."
    origin = "Netzer et al., http://ufldl.stanford.edu/housenumbers/, for non-commercial use."
    n = 99_289
    image_shape = (3, 32, 32)
    classes = tuple("0123456789")
    torchvision_name = "SVHN"
    folder = "."
    sums: ClassVar[dict[str, str]] = {
        "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
        "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
    }
    needed = tuple(sums)
    manual_files = "train_32x32.mat and test_32x32.mat"
    download_bytes = 246_316_178

    def read(self, folder: Path) -> tuple[np.ndarray, np.ndarray, int]:
        """Read images (N, 3, 32, 32), labels (N,) with 0 for the digit 0, and the number of training images."""
        from scipy.io import loadmat

        parts = [loadmat(io.BytesIO(read_checked(folder / name, md5))) for name, md5 in self.sums.items()]
        images = np.concatenate([part["X"].transpose(3, 2, 0, 1) for part in parts])  # (H, W, C, N) -> (N, C, H, W)
        labels = np.concatenate([part["y"].ravel() for part in parts]).astype(np.int64) % 10  # 10 means the digit 0
        return np.ascontiguousarray(images), labels, len(parts[0]["y"])


def read_idx(train: Path, test: Path, magic: int) -> tuple[np.ndarray, int]:
    """Two idx files of bytes as one array (N, ...), read directly into place, and the length of the first.

    Raises:
        BadFile: a file has another format, or is truncated.
    """
    try:
        return _read_idx(train, test, magic)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadFile(
            "{file} or its counterpart is damaged ({reason}); download it again", file=train, reason=error
        ) from None


def _read_idx(train: Path, test: Path, magic: int) -> tuple[np.ndarray, int]:
    with _open_idx(train) as first, _open_idx(test) as second:
        (n_train, *shape), (n_test, *other) = _idx_shape(first, train, magic), _idx_shape(second, test, magic)
        if shape != other:
            raise BadFile("{file} does not match {other}; download both again", file=train, other=test.name)
        content = np.empty((n_train + n_test, *shape), np.uint8)
        for file, path, part in ((first, train, content[:n_train]), (second, test, content[n_train:])):
            if file.readinto(part.data.cast("B")) != part.nbytes:
                raise BadFile("{file} is truncated; download it again", file=path)
    return content, n_train


def _open_idx(path: Path) -> Any:
    return open(path, "rb") if path.is_file() else io.BufferedReader(gzip.open(path.with_name(path.name + ".gz")))


def _idx_shape(file: Any, path: Path, magic: int) -> list[int]:
    """Read the header (http://yann.lecun.com/exdb/mnist/): a magic number and the dimensions, big-endian."""
    header = np.frombuffer(file.read(4 + 4 * (magic % 256)), ">u4")
    if len(header) != 1 + magic % 256 or header[0] != magic or header[1:].prod(dtype=np.float64) > 2**32:
        raise BadFile("{file} is not an idx file of the right kind; download it again", file=path)
    return [int(size) for size in header[1:]]


def read_checked(path: Path, md5: str) -> bytes:
    """A file's content, after its MD5 is verified on these very bytes.

    Raises:
        BadFile: the checksum differs.
    """
    content = path.read_bytes()
    if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
        raise BadFile(
            "{file} is not the original file (its MD5 differs) and was not opened; download it again", file=path
        )
    return content

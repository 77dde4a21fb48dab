"""People's own images: what comes in, what is skipped, and that nothing is left of what failed."""

import io
import json
import os
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from aeviz import data
from aeviz.data import folders
from aeviz.errors import BadArchive, BadFile, BadValue, Stopped, UnknownName


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AEVIZ_DATA", str(tmp_path / "home"))
    return tmp_path / "home" / "own"


def png(value=0, size=8):
    content = io.BytesIO()
    Image.new("L", (size, size), value).save(content, "PNG")
    return content.getvalue()


def make_zip(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def make_folder(path, members):
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def bring(*sources, name="mine", report=None, **settings):
    settings = data.ImportSettings(**{"name": name, "size": 8, "mode": "grey", **settings})
    return data.import_data(list(sources), settings, *([report] if report else []))


def values_of(dataset, rows=slice(None)):
    """The one grey of each image."""
    return dataset.images[rows][:, 0, 0, 0].tolist()


def nothing_left(home):
    return not home.exists() or list(home.iterdir()) == []


CLASSES = {
    f"{kind}/{number}.png": png(10 * number + shift) for kind, shift in (("cat", 0), ("dog", 1)) for number in range(10)
}


@pytest.mark.parametrize("wrap", ["", "pets/", "a/b/"])
@pytest.mark.parametrize("make", [make_zip, make_folder])
def test_folders_become_classes_whatever_wraps_them(tmp_path, make, wrap):
    source = make(
        tmp_path / "pets.zip" if make is make_zip else tmp_path / "pets", {wrap + n: c for n, c in CLASSES.items()}
    )
    report = bring(source)
    assert (report.name, report.n, report.shape, report.classes, report.skipped) == (
        "mine",
        20,
        (1, 8, 8),
        ("cat", "dog"),
        [],
    )
    dataset = data.load("mine")
    assert isinstance(dataset.images, np.memmap)
    assert dataset.own
    assert [len(dataset.rows(split)) for split in ("train", "val", "test")] == [14, 2, 4]
    for file, label, value in zip(dataset.files, dataset.labels, values_of(dataset), strict=True):
        assert CLASSES[file] == png(value)
        assert file.startswith(dataset.classes[label])
    assert data.load("mine").hash == dataset.hash


def test_the_same_images_give_the_same_hash_from_a_zip_and_from_a_folder(tmp_path):
    bring(make_zip(tmp_path / "z.zip", dict(reversed(CLASSES.items()))))
    first = data.load("mine").hash
    data.delete("mine")
    bring(make_folder(tmp_path / "z", CLASSES))
    assert data.load("mine").hash == first


def test_a_split_told_by_folders_is_honoured(tmp_path):
    members = {f"pets/train/cat/{n}.png": png(n) for n in range(6)} | {
        f"pets/val/dog/{n}.png": png(50 + n) for n in range(6)
    }
    members |= {f"pets/Test/dog/{n}.png": png(100 + n) for n in range(3)}
    assert bring(make_zip(tmp_path / "a.zip", members)).classes == ("cat", "dog")
    dataset = data.load("mine")
    assert values_of(dataset, dataset.rows("test")) == [100, 101, 102]
    assert values_of(dataset, slice(0, 12)) == [*range(6), *range(50, 56)]
    assert dataset.labels.tolist() == [0] * 6 + [1] * 9
    assert len(dataset.rows("val")) == 1


def test_a_class_called_train_is_no_split(tmp_path):
    members = {f"{kind}/{n}.png": png(n) for kind in ("bus", "train") for n in range(4)}
    assert bring(make_zip(tmp_path / "a.zip", members)).classes == ("bus", "train")


def test_images_without_folders_have_no_class(tmp_path):
    paths = [make_folder(tmp_path, {f"{n}.png": png(n)}) / f"{n}.png" for n in range(5)]
    assert bring(*paths).classes == ()
    dataset = data.load("mine")
    assert dataset.labels.tolist() == [-1] * 5
    assert sorted(dataset.files) == [f"{n}.png" for n in range(5)]


def test_several_folders_become_classes(tmp_path):
    folders = [make_folder(tmp_path / kind, {f"{n}.png": png(n) for n in range(3)}) for kind in ("cat", "dog")]
    assert bring(*folders).classes == ("cat", "dog")


def test_junk_is_silent_and_bad_files_are_listed(tmp_path, capfd):
    junk = {"__MACOSX/cat/._1.png": b"x", "cat/.DS_Store": b"x", "cat/Thumbs.db": b"x"}
    bad = {"cat/cut.png": png(0, 400)[:60], "cat/note.png": b"words", "cat/none.png": b"", "README.md": b"# Pets"}
    source = make_zip(tmp_path / "a.zip", CLASSES | junk | bad)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = bring(source)
    assert report.n == 20
    assert {entry["file"] for entry in report.skipped} == set(bad)
    reasons = {entry["file"]: entry["reason"] for entry in report.skipped}
    assert reasons["cat/none.png"].startswith("it is empty")
    assert reasons["cat/cut.png"].startswith("it is damaged or truncated")
    assert "not a picture" in reasons["cat/note.png"]
    assert json.loads((folders.data_root() / "own" / "mine" / "skipped.json").read_text()) == report.skipped
    assert capfd.readouterr() == ("", "")


def test_a_member_damaged_inside_the_zip_is_skipped(tmp_path):
    path = make_zip(tmp_path / "a.zip", CLASSES)
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("dog/3.png")
        start = info.header_offset + 30 + len(info.filename)
    content = bytearray(path.read_bytes())
    content[start + 5 : start + 20] = b"\xff" * 15
    path.write_bytes(content)
    report = bring(path)
    assert report.n == 19
    assert report.skipped == [{"file": "dog/3.png", "reason": "it is damaged inside the zip"}]


def test_a_table_beside_the_images_gives_columns_and_classes(tmp_path):
    table = "file;age;colour;label\n" + "".join(
        f"{n}.png;{n}.5;{'red' if n % 2 else 'blue'};k{n % 3}\n" for n in range(7)
    )
    members = {f"set/{n}.png": png(n) for n in range(8)} | {"set/data.csv": ("\ufeff" + table).encode()}
    assert bring(make_zip(tmp_path / "a.zip", members)).classes == ("k0", "k1", "k2")
    dataset = data.load("mine")
    for row, value in enumerate(values_of(dataset)):
        known = value < 7
        assert dataset.labels[row] == (value % 3 if known else -1)
        assert dataset.columns["colour"][row] == (("red" if value % 2 else "blue") if known else "")
        assert dataset.columns["age"][row] == pytest.approx(value + 0.5 if known else np.nan, nan_ok=True)
    assert dataset.columns["age"].dtype == np.float64


def test_a_table_is_matched_by_path_and_leaves_folder_classes_alone(tmp_path):
    table = "Path,weight,label\n" + "".join(f"{name},{number},x\n" for number, name in enumerate(CLASSES))
    bring(make_folder(tmp_path / "a", CLASSES | {"t.csv": table.encode()}))
    dataset = data.load("mine")
    assert dataset.classes == ("cat", "dog")
    weights = {name: float(number) for number, name in enumerate(CLASSES)}
    assert dict(zip(dataset.files, dataset.columns["weight"], strict=True)) == weights
    assert set(dataset.columns["label"]) == {"x"}


@pytest.mark.parametrize("table", [b"a,b\n1,2\n", b"", b'file,\x00\n"', b"file,x\n" + b"9" * 200_000])
def test_a_bad_table_is_skipped_with_a_reason(tmp_path, table):
    report = bring(make_zip(tmp_path / "a.zip", CLASSES | {"t.csv": table, "cat/deep.csv": b"file,x\n"}))
    assert report.n == 20
    assert "cat/deep.csv" in [entry["file"] for entry in report.skipped]


def refused(tmp_path, home, members=None, **attributes):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (CLASSES | (members or {})).items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            if name in (members or {}):
                for key, value in attributes.items():
                    setattr(info, key, value)
            archive.writestr(info, content)
    with pytest.raises(BadArchive) as caught:
        bring(path)
    assert nothing_left(home)
    return str(caught.value)


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "/etc/out.png", "C:\\out.png", "..\\out.png"])
def test_a_zip_that_points_outside_is_refused_whole(tmp_path, home, name):
    assert "points outside" in refused(tmp_path, home, {name: png()})
    assert not (tmp_path / "out.png").exists()


def test_links_in_zips_are_refused(tmp_path, home):
    assert "link" in refused(tmp_path, home, {"cat/link.png": b"/etc/passwd"}, external_attr=0o120777 << 16)


def test_zip_bombs_are_refused(tmp_path, home):
    assert "bomb" in refused(tmp_path, home, {"cat/zero.bmp": bytes(60 * 2**20)})


def test_links_that_lead_out_of_a_folder_are_not_followed(tmp_path):
    folder, secret = make_folder(tmp_path / "in", CLASSES), make_folder(tmp_path / "out", {"s.png": png(77)})
    (folder / "cat" / "leak.png").symlink_to(secret / "s.png")
    (folder / "cat" / "leaks").symlink_to(secret)
    (folder / "cat" / "gone.png").symlink_to(tmp_path / "nowhere")
    (folder / "cat" / "same.png").symlink_to(folder / "cat" / "1.png")
    os.mkfifo(folder / "cat" / "pipe.png")
    report = bring(folder)
    assert report.n == 21
    assert {entry["file"] for entry in report.skipped} == {
        f"cat/{name}" for name in ("leak.png", "leaks", "gone.png", "pipe.png")
    }
    assert 77 not in values_of(data.load("mine"))


GREYS = np.arange(12, dtype=np.uint8)[:, None, None] * np.ones((1, 8, 8), np.uint8)


@pytest.mark.parametrize(
    "array",
    [
        GREYS,
        GREYS[..., None],
        GREYS[:, None],
        np.repeat(GREYS[..., None], 3, axis=3),
        np.repeat(GREYS[:, None], 3, axis=1),
        GREYS.astype(np.uint16) * 257,
        GREYS.astype(np.float32) / 255,
        GREYS.astype(np.float64),
        GREYS.astype(np.int64),
    ],
    ids=lambda array: f"{array.shape}-{array.dtype}",
)
def test_arrays_of_any_layout_and_type_give_the_same_pixels(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    assert bring(tmp_path / "a.npy").n == 12
    dataset = data.load("mine")
    assert sorted(values_of(dataset)) == list(range(12))
    assert dataset.files[0].startswith("a[")


def test_masks_are_black_and_white(tmp_path):
    np.save(tmp_path / "a.npy", GREYS > 5)
    bring(tmp_path / "a.npy")
    assert sorted(values_of(data.load("mine"))) == [0] * 6 + [255] * 6


def test_alpha_in_arrays_shows_the_background(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 8, 8, 4), np.uint8))
    bring(tmp_path / "a.npy", mode="rgb", background="#010203")
    assert data.load("mine").images[0, :, 0, 0].tolist() == [1, 2, 3]


def test_keras_archives_keep_their_split_and_labels(tmp_path):
    labels = np.arange(12)[:, None] % 3 + 8
    np.savez(tmp_path / "k.npz", x_train=GREYS[:9], y_train=labels[:9], x_test=GREYS[9:], y_test=labels[9:])
    assert bring(tmp_path / "k.npz").classes == ("8", "9", "10")
    dataset = data.load("mine")
    assert values_of(dataset) == list(range(12))
    assert dataset.rows("test").tolist() == [9, 10, 11]
    assert dataset.labels.tolist() == (np.arange(12) % 3).tolist()


def test_archives_of_images_and_labels_are_known_by_their_names(tmp_path):
    np.savez_compressed(tmp_path / "k.npz", images=GREYS, labels=np.array(["b", "a"] * 6))
    bring(tmp_path / "k.npz")
    dataset = data.load("mine")
    assert dataset.classes == ("a", "b")
    assert dataset.labels.tolist() == [1 - value % 2 for value in values_of(dataset)]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([{"a": 1}, None, 3], dtype=object), "no Python objects"),
        (np.zeros((5, 7)), "not clear which array"),
        (np.zeros((5, 7, 7, 2)), "C is 1, 3 or 4"),
        (np.full((5, 8, 8), np.nan), "NaN"),
        (np.full((5, 8, 8), -1.0), "run from -1"),
        (np.full((5, 8, 8), 1j), "complex"),
    ],
)
def test_arrays_that_hold_no_images_are_refused(tmp_path, home, array, message):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    np.savez(tmp_path / "b.npz", a=array)
    for file in ("a.npy", "b.npz"):
        with pytest.raises(BadFile, match=message):
            bring(tmp_path / file)
    assert nothing_left(home)


def test_cut_off_arrays_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", GREYS)
    np.savez(tmp_path / "b.npz", GREYS)
    for file in ("a.npy", "b.npz"):
        content = (tmp_path / file).read_bytes()
        (tmp_path / file).write_bytes(content[: len(content) // 2])
        with pytest.raises(BadFile):
            bring(tmp_path / file)


@pytest.mark.parametrize("when", ["Reading images", "Arranging"])
def test_a_stop_in_the_middle_leaves_nothing(tmp_path, home, when):
    source = make_zip(tmp_path / "a.zip", {f"{n}.png": png(n % 250) for n in range(300)})
    seen = []

    def report(done, total, message=""):
        seen.append((done, total))
        if message == when and len(seen) > 2:
            raise Stopped("stopped as asked")

    with pytest.raises(Stopped):
        bring(source, report=report)
    assert seen[2] == (100, 300)
    assert nothing_left(home)
    assert bring(source).n == 300


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({}, "no images could be read"),
        ({"a.png": b"x"}, r"no images could be read.*a\.png: it is not a picture"),
        ({"a.png": png()}, "only 1 image could be read, and"),
        ({"a.png": png(), "b.png": png()}, "only 2 images could be read.*3 or more"),
        ({"train/a.png": png(), "test/b.png": png(), "test/c.png": png()}, "only 1 training image could be read"),
    ],
)
def test_too_few_images_are_refused_with_the_reasons(tmp_path, home, members, message):
    with pytest.raises(BadFile, match=message):
        bring(make_zip(tmp_path / "a.zip", members))
    assert nothing_left(home)


def test_sources_that_cannot_be_read_are_named(tmp_path, home):
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(BadFile, match=r"a\.zip is not a readable zip"):
        bring(tmp_path / "a.zip")
    with pytest.raises(BadFile, match="there is no file or folder"):
        bring(tmp_path / "nowhere")
    with pytest.raises(BadFile, match="no images"):
        bring()
    assert nothing_left(home)


def test_names_are_safe_and_taken_once(tmp_path, home):
    source = make_zip(tmp_path / "a.zip", CLASSES)
    bring(source)
    for name in ("mine", "Mine", "digits", "MNIST"):
        with pytest.raises(BadValue, match="already"):
            bring(source, name=name)
    for name in ("../x", "", "a/b", ".hidden", "x" * 97):
        with pytest.raises(BadValue, match="not allowed"):
            bring(source, name=name)
    assert [entry.name for entry in home.iterdir()] == ["mine"]


def test_own_sets_are_listed_and_deleted(tmp_path, home):
    bring(make_zip(tmp_path / "a.zip", CLASSES))
    info = data.list_data()[-1]
    assert (info.name, info.n, info.shape, info.classes, info.own, info.ready) == (
        "mine",
        20,
        (1, 8, 8),
        ("cat", "dog"),
        True,
        True,
    )
    with pytest.raises(BadValue, match="no settings"):
        data.load("mine", {"size": 3})
    data.delete("mine")
    assert nothing_left(home)
    with pytest.raises(UnknownName, match="'mine'"):
        data.load("mine")


def test_a_damaged_set_says_so_and_does_not_spoil_the_list(tmp_path, home):
    bring(make_zip(tmp_path / "a.zip", CLASSES))
    np.save(home / "mine" / "labels.npy", np.zeros(3, np.int64))
    with pytest.raises(BadFile, match="damaged"):
        data.load("mine")
    (home / "mine" / "meta.json").write_text("{")
    with pytest.raises(BadFile, match="damaged"):
        data.load("mine")
    assert len(data.list_data()) == len(data.DATASETS)
    data.delete("mine")
    assert nothing_left(home)


def test_names_people_gave_lose_their_control_characters_only(tmp_path):
    members = {f"caf\u00e9 \u202e\x07<b>/{n}.png": png(n) for n in range(3)} | {f"z/{n}.png": png(n) for n in range(3)}
    assert bring(make_folder(tmp_path / "a", members)).classes == ("caf\u00e9 <b>", "z")


def test_many_images_never_lie_in_memory_together(tmp_path):
    images = {f"{n:05}.png": png(n % 251, size=16) for n in range(3000)}
    source = make_zip(tmp_path / "a.zip", images)
    tracemalloc.start()
    try:
        bring(source, size=64, mode="rgb")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6  # the images are 37 MB
    assert data.load("mine").images.nbytes == 3000 * 3 * 64 * 64


def test_the_first_folder_that_can_be_written_is_written_and_all_are_read(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("AEVIZ_DATA", os.pathsep.join([str(tmp_path / "file"), str(tmp_path / "one")]))
    bring(make_zip(tmp_path / "a.zip", CLASSES))
    monkeypatch.setenv("AEVIZ_DATA", os.pathsep.join([str(tmp_path / "two"), str(tmp_path / "one")]))
    assert data.data_root() == tmp_path / "two"
    assert len(data.load("mine")) == 20
    monkeypatch.setenv("AEVIZ_DATA", str(tmp_path / "file"))
    with pytest.raises(BadValue, match="AEVIZ_DATA"):
        bring(make_zip(tmp_path / "a.zip", CLASSES))
    monkeypatch.setenv("AEVIZ_DATA", "")
    assert [str(root) for root in data.data_roots()] == ["data"]

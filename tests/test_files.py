"""Files stay whole, locks die with their process, and zips are harmless before they are opened."""

import subprocess
import sys
import zipfile

import pytest

from aeviz import files
from aeviz.errors import BadArchive, BadValue, NotNow


def test_a_replaced_file_leaves_nothing_beside(tmp_path):
    files.write_json(tmp_path / "a.json", {"x": 1})
    files.write_json(tmp_path / "a.json", {"x": 2})
    assert files.read_json(tmp_path / "a.json") == {"x": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", float("nan"))
    assert not list(tmp_path.iterdir())


def test_a_torn_last_line_is_left_for_later(tmp_path):
    path = tmp_path / "lines.jsonl"
    files.append_line(path, {"n": 1})
    with open(path, "a") as file:
        file.write('{"n": 2')
    lines, read = files.read_lines(path)
    assert lines == [{"n": 1}]
    with open(path, "a") as file:
        file.write("}\n")
    assert files.read_lines(path, read)[0] == [{"n": 2}]


@pytest.mark.parametrize("name", ["", ".x", "a/b", "..", "a b", "x" * 97, "a.", "é"])
def test_unsafe_names_are_refused(name):
    with pytest.raises(BadValue):
        files.safe_name(name)


def test_a_lock_is_seen_by_others_and_dies_with_its_process(tmp_path):
    path = tmp_path / "lock"
    code = f"import sys\nfrom aeviz import files\nfrom pathlib import Path\nwith files.lock(Path({str(path)!r})):\n print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert files.is_locked(path)
        with pytest.raises(NotNow), files.lock(path, patience=0.0):
            pass
        holder.kill()
    assert not files.is_locked(path)
    with files.lock(path):
        pass


def zipped(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in members:
            archive.writestr(info, content)
    return zipfile.ZipFile(path)


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "C:/x", "..\\x"])
def test_a_zip_that_points_outside_is_refused(tmp_path, name):
    with zipped(tmp_path / "a.zip", (name, b"x")) as archive, pytest.raises(BadArchive, match="outside"):
        files.check_zip(archive)


def test_a_zip_with_a_link_is_refused(tmp_path):
    link = zipfile.ZipInfo("link")
    link.external_attr = 0o120777 << 16
    with zipped(tmp_path / "a.zip", (link, b"/etc/passwd")) as archive, pytest.raises(BadArchive, match="link"):
        files.check_zip(archive)


def test_a_zip_that_swells_is_refused(tmp_path):
    with zipped(tmp_path / "a.zip", ("zeros", b"\0" * 60 * 2**20)) as archive:
        with pytest.raises(BadArchive, match="grows"):
            files.check_zip(archive)
        with pytest.raises(BadArchive, match="GB"):
            files.check_zip(archive, max_bytes=2**20)


def test_a_file_is_read_anew_only_when_it_has_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "YOUNG_NS", -(10**18))  # whatever its age
    path, read = tmp_path / "a", []

    @files.cached_by_stat(most=1)
    def content(path):
        read.append(path.name)
        return path.read_bytes()

    for value in (b"1", b"22", b"33"):
        files.write_bytes(path, value)
        assert content(path) == content(path) == value
    assert len(read) == 3
    files.write_bytes(tmp_path / "b", b"other")
    assert content(tmp_path / "b") == b"other"
    assert content(path) == b"33"
    assert read == ["a", "a", "a", "b", "a"]
    path.unlink()
    with pytest.raises(FileNotFoundError):
        content(path)


def test_a_file_that_has_just_been_written_is_not_trusted_to_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "YOUNG_NS", 10**18)
    path, read = tmp_path / "a", []
    files.write_bytes(path, b"1")
    keeping = files.cached_by_stat(most=1)(lambda path: read.append(path.name))
    keeping(path)
    keeping(path)
    assert len(read) == 2

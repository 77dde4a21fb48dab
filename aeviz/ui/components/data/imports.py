"""Imports and downloads: the import form, progress, results and skipped files."""

import shutil
import time
import uuid
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import streamlit as st

from aeviz import data, jobs
from aeviz.data import DataInfo, ImportSettings
from aeviz.errors import AevizError, BadValue
from aeviz.files import safe_name
from aeviz.jobs import Job
from aeviz.ui import forms, state, words
from aeviz.ui.frame import catch_errors, redraw

TYPES = ["zip", "png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff", "npy", "npz", "csv"]
LOCAL = ("127.0.0.1", "localhost", "::1")
POLL_SECONDS = 0.4


def _folder() -> Path:
    return data.data_root() / ".jobs"


def download_box(info: DataInfo, working: bool) -> None:
    """Draw the description and download button of a public data set."""
    size = f"{info.n:,} images, {words.shape(info.shape)}" if info.n and info.shape else ""
    with st.container(border=True):
        st.markdown(f"#### {words.plain(info.label)} is not downloaded yet")
        st.caption(f"{size}. {words.plain(info.origin)}")
        st.button(
            "Download",
            icon=":material/download:",
            type="primary",
            key="data.get",
            on_click=catch_errors(_start_download),
            args=(info.name,),
        )


def _start_download(name: str) -> None:
    job = jobs.create(_folder(), f"get-{name}")
    jobs.start(job, "data", "get", name, "--job", str(job.path))
    _watch(job, name)


def _watch(job: Job, name: str) -> None:
    state.remember("data.job", str(job.path))
    state.remember("data.job.name", name)


def import_progress() -> bool:
    """Show the current import or download until its result is dismissed; returns whether one is running."""
    path = state.recall("data.job") or _running()
    if not path:
        return False
    job = Job(Path(path))
    working = job.status().state in jobs.LIVE
    if working:
        _progress(job)
    else:
        _outcome(job)
    return working


def _running() -> str | None:
    """The path of a running import that this session did not start, or started before a reload."""
    found = [folder for folder in _folder().glob("*") if Job(folder).is_alive()] if _folder().exists() else []
    return str(found[0]) if found else None


@st.fragment(run_every=POLL_SECONDS)
def _progress(job: Job) -> None:
    status = job.status()
    if status.state not in jobs.LIVE:
        state.remember("data.job", str(job.path))
        redraw()
    with st.container(border=True):
        share = min(1.0, status.done / status.total) if status.total else 0.0
        st.progress(share, text=words.plain(status.message or "Starting …"))
        st.button("Cancel", icon=":material/close:", key="data.cancel", on_click=job.ask, args=("stop",))


def _outcome(job: Job) -> None:
    """Show how the job ended, with the names of skipped files."""
    status, name = job.status(), str(state.recall("data.job.name", ""))
    if status.state == "done":
        _success(name)
        st.button(
            "View images",
            key="data.read",
            icon=":material/visibility:",
            type="primary",
            on_click=_dismiss,
            args=(name,),
        )
        return
    if status.state == "stopped":
        st.info("Cancelled. Nothing was saved.", icon=":material/close:")
    else:
        st.error(
            words.sentence(status.message or "the import was interrupted; nothing was saved"), icon=":material/error:"
        )
    st.button("Close", key="data.read", on_click=_dismiss)


def _dismiss(name: str = "") -> None:
    """Dismiss the result, and select the imported data set."""
    state.remember("data.job", None)
    if name:
        state.choose_set(name)


def _success(name: str) -> None:
    info = next((info for info in data.list_data() if info.name == name), None)
    count = f"Added {info.n:,} images as {words.plain(info.label)}." if info and info.n else "Data set added."
    st.success(count, icon=":material/check:")
    skipped = data.skipped_files(name) if info and info.own else []
    if skipped:
        with st.expander(f"{len(skipped):,} files were skipped", icon=":material/warning:", expanded=len(skipped) < 8):
            st.dataframe(
                pd.DataFrame(skipped), hide_index=True, height=min(300, 38 + 35 * len(skipped)), alt="Skipped files"
            )


@st.dialog("Import images", width="medium")
def import_dialog() -> None:
    """The import form: images, name and fitting."""
    kinds = ["Zip or images", "Folder", *(["Path"] if st.get_option("server.address") in LOCAL else [])]
    kind = st.segmented_control(
        "From", kinds, default=kinds[0], required=True, key="import.kind", label_visibility="collapsed"
    )
    st.caption(
        "Folder names become labels. Folders named train and test define the split. A CSV file next to the images adds "
        "columns to colour the map by."
    )
    files, path = _source(kind)
    first = Path(files[0].name if files else path)
    guess = first.parts[0] if files and len(first.parts) > 1 else first.stem
    name_help = ImportSettings.model_fields["name"].description
    asked: dict[str, Any] = {"name": st.text_input("Name", _as_name(guess), key=f"import.name.{guess}", help=name_help)}
    if kind == "Folder":
        st.caption(":material/speed: A single zip uploads much faster than hundreds of files.")
    with st.container(horizontal=True):
        asked |= forms.settings_form(ImportSettings, "import", skip=["name", "background"])
        asked["background"] = forms.choose(
            ["white", "black"], "white", label="Background", key="import.background",
            help="Fills transparent areas and padding.",
        )  # fmt: skip
    st.caption(_fit_summary(asked))
    if st.button("Import", type="primary", icon=":material/add:", key="import.go", disabled=not files and not path):
        try:
            _start_import(files, path, ImportSettings.parse(asked))
        except AevizError as error:
            st.error(words.sentence(error), icon=":material/error:")
        else:
            st.rerun()


def _source(kind: str) -> tuple[list[Any], str]:
    """The uploaded files, or a path on this machine."""
    if kind == "Path":
        return [], st.text_input("Folder or zip on this machine", key="import.path", placeholder="/home/me/pictures")
    many: Literal[True, "directory"] = "directory" if kind == "Folder" else True
    files = st.file_uploader(
        "Images", type=TYPES, accept_multiple_files=many, key=f"import.{kind}", label_visibility="collapsed"
    )
    return files or [], ""


def _as_name(text: str) -> str:
    clean = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in text).strip("-")
    return clean[:40] or "mine"


def _fit_summary(asked: dict[str, object]) -> str:
    how = (
        "cropped to its central square" if asked["fit"] == "crop" else f"padded to a square with {asked['background']}"
    )
    colours = "colour" if asked["mode"] == "rgb" else "grey"
    return f"Each image is {how} and resized to {asked['size']} × {asked['size']} pixels, {colours}."


def _start_import(files: list[Any], path: str, settings: ImportSettings) -> None:
    """Stage the uploads and start the import job.

    Raises:
        BadValue: the name is taken, or the path does not exist.
    """
    safe_name(settings.name)
    if settings.name in {info.name for info in data.list_data()}:
        raise BadValue(
            "a data set named {name} already exists; choose another name or delete it first", name=settings.name
        )
    job = jobs.create(_folder(), f"import-{settings.name}")
    if path:
        sources, staged = [Path(path).expanduser()], []
        if not sources[0].exists():
            raise BadValue(
                "nothing found at {path}; give the path of a folder, zip or image on this machine", path=path
            )
    else:
        staged = [_stage(files)]
        found = sorted(staged[0].iterdir())
        sources = found if all(path.is_file() for path in found) else staged
    options = [part for name, value in settings.to_json().items() for part in (f"--{name}", str(value))]
    consume = [part for folder in staged for part in ("--consume", str(folder))]
    jobs.start(job, "data", "import", *map(str, sources), *options, *consume, "--job", str(job.path))
    _watch(job, settings.name)


def _stage(files: list[Any]) -> Path:
    """Copy uploaded files to a new folder, keeping their relative paths."""
    folder = data.data_root() / ".uploads" / f"{int(time.time())}-{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True, mode=0o700)
    try:
        for file in files:
            parts = [part for part in Path(file.name.replace("\\", "/")).parts if part not in ("..", "/", "")]
            target = folder.joinpath(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "wb") as out:
                shutil.copyfileobj(file, out, 2**20)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder

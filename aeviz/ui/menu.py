"""The menu: one entry per page."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

PAGES = Path(__file__).resolve().parents[2] / "pages"


@dataclass(frozen=True)
class Entry:
    """A page: its file name, title, icon and caption."""

    name: str
    title: str
    icon: str
    answers: str

    @property
    def path(self) -> Path:
        """The page\'s file."""
        return PAGES / f"{self.name}.py"


MENU: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry("home", "Home", ":material/home:", "Start here."),
        Entry("data", "Data", ":material/photo_library:", "Browse data sets and import your own images."),
        Entry("train", "Train", ":material/model_training:", "Configure an autoencoder and watch it train."),
        Entry("map", "Map", ":material/scatter_plot:", "The codes of all images as a map."),
        Entry("reconstruct", "Reconstruct", ":material/compare:", "Compare images with their reconstructions."),
        Entry("walk", "Walk", ":material/route:", "Move through latent space: paths, axes, directions and means."),
        Entry("generate", "Generate", ":material/auto_awesome:", "Sample new images and grids from the decoder."),
        Entry("runs", "Runs", ":material/inventory_2:", "Open, continue, export, import or delete runs."),
    )
}


def pages() -> list[st.Page]:
    """The pages in menu order; the first one is the default."""
    return [
        st.Page(entry.path, title=entry.title, icon=entry.icon, default=name == "home") for name, entry in MENU.items()
    ]


def go(name: str) -> None:
    """Switch to another page."""
    st.switch_page(MENU[name].path)


def links() -> None:
    """Draw the menu links in the sidebar."""
    with st.container(gap="xxsmall", key="menu"):
        for entry in MENU.values():
            st.page_link(entry.path, label=entry.title, icon=entry.icon)

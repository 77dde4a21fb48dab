"""The page table: one line a page."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

PAGES = Path(__file__).resolve().parents[2] / "pages"


@dataclass(frozen=True)
class Entry:
    """A page's file, what it is called, and what it answers."""

    name: str
    title: str
    icon: str
    answers: str

    @property
    def path(self) -> Path:
        return PAGES / f"{self.name}.py"


MENU: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry("home", "Home", ":material/home:", "What is here, and where to begin."),
        Entry("data", "Data", ":material/photo_library:", "Which images are here, and bringing your own."),
        Entry("train", "Train", ":material/model_training:", "Shape an autoencoder and watch it learn."),
        Entry("map", "Map", ":material/scatter_plot:", "How does the network see the images: its codes as a map."),
        Entry("reconstruct", "Reconstruct", ":material/compare:", "What does the network keep of an image?"),
        Entry("walk", "Walk", ":material/route:", "What lies between images, and what changes on the way?"),
        Entry("generate", "Generate", ":material/auto_awesome:", "What does the network dream up: new images."),
        Entry("runs", "Runs", ":material/inventory_2:", "What was trained, to open, continue, share or delete."),
    )
}


def pages() -> list[st.Page]:
    """The menu, in order; the first page is the one to land on."""
    return [
        st.Page(entry.path, title=entry.title, icon=entry.icon, default=name == "home") for name, entry in MENU.items()
    ]


def go(name: str) -> None:
    """Open another page, keeping the run in the address."""
    st.switch_page(MENU[name].path)


def links() -> None:
    """The menu as it is seen, below the run one works on."""
    with st.container(gap="xxsmall", key="menu"):
        for entry in MENU.values():
            st.page_link(entry.path, label=entry.title, icon=entry.icon)

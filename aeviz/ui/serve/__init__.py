"""HTTP endpoints next to Streamlit's own: arrays, thumbnails, scripts and decoded codes."""

from aeviz.ui.serve.addresses import address
from aeviz.ui.serve.blobs import keep
from aeviz.ui.serve.routes import routes
from aeviz.ui.serve.scripts import loader

__all__ = ["address", "keep", "loader", "routes"]

"""What the browser fetches by itself, beside Streamlit's own conversation: arrays, thumbnails, decoded codes."""

from aeviz.ui.serve.addresses import address
from aeviz.ui.serve.blobs import keep
from aeviz.ui.serve.routes import routes
from aeviz.ui.serve.scripts import loader

__all__ = ["address", "keep", "loader", "routes"]

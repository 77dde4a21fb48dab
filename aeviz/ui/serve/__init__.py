"""HTTP endpoints next to Streamlit's own: arrays, thumbnails, scripts and decoded codes."""

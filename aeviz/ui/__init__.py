"""The user interface: everything that uses Streamlit."""

"""Paths between codes, and sweeps along axes."""

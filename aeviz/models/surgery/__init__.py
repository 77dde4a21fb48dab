"""Changing a network's settings while it keeps what it has learned."""

"""Samplers of new codes."""

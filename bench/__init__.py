"""Measurements anyone can run: aeviz against a named rival, the ratio in the last column."""

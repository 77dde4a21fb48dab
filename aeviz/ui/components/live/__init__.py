"""A training at work."""

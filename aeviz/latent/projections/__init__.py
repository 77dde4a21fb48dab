"""Projections of codes to maps: the registry, and one file or folder per projection."""

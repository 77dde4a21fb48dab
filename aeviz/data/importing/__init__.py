"""Bringing in a person's own images: zips, folders, arrays, tables."""

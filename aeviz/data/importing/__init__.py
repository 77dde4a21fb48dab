"""Importing your own images: zips, folders, arrays, tables."""

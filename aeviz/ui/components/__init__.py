"""The larger parts of pages, each drawn by one function."""

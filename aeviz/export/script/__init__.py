"""A run as one Python file that trains it again without aeviz."""

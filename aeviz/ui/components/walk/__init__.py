"""Views of the page Walk."""

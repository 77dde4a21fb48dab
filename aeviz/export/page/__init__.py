"""A map and its decoder for the browser, on a server or as a standalone page."""

"""t-SNE: its projection, and the parts it is made of."""

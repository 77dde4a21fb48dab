"""t-SNE: the projection and its parts."""

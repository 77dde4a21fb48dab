"""The latent space of a model: codes, maps of them, neighbours, roads, and how far a map can be trusted."""

"""The latent space of a model: codes, maps of them, neighbours, roads, directions, samples, and how far to trust a map."""

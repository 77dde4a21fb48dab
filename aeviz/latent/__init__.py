"""The latent space of a model: codes, maps, neighbours, paths, directions, samples and map quality."""

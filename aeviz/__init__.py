"""aeviz: train an autoencoder on images, and walk through the latent space it has learned."""

__version__ = "0.1.0"

"""The variants of the autoencoder, one file each."""

"""Page Train: the form, and the network before training."""

"""One training step: the optimizer, the learning rate, and how steps are recorded and replayed."""

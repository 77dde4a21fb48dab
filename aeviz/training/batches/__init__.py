"""Training batches: loading, shuffling, augmentation."""

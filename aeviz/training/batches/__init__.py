"""The batches a training is fed: read, shuffled, augmented."""

"""The page Train, until a training is at work."""

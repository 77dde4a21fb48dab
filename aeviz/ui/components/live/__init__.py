"""Views and controls of a training."""

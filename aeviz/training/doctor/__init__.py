"""What is wrong with a training, and settings that cure it."""

"""Output of a training: metrics, snapshots, film frames."""

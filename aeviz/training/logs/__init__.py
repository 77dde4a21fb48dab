"""What a training writes for whoever watches: metrics, snapshots, frames."""

"""Numbers about a model, each with its baseline: image metrics, probes, and PCA of equal size."""

"""Numbers about a model, each with its baseline: image metrics, probes, PCA of equal size, and how good samples are."""

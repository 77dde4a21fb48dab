"""Model scores with baselines: image metrics, probes, PCA of equal size, and sample quality."""

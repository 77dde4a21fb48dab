"""Maps of a run's codes: computing, caching, colouring, and placing new images."""

"""Maps of a run's codes: computed, kept, coloured, and new images placed on them."""

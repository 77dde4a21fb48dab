"""The sources of data sets: bundled, public, synthetic, and your own."""

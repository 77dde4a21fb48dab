"""Where data sets come from: carried, public, synthetic, and a person's own."""

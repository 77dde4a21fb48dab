"""New codes drawn at random."""

"""Change a network's settings while keeping what it has learned."""

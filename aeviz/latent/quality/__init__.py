"""How far a map and its codes can be trusted."""

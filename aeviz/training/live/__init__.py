"""Live changes to a running training: settings, the network, single steps, pause and stop."""

"""Images a run makes: samples, sweeps over axes, and paths between codes."""

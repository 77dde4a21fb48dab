"""The training doctor: finds problems in a training and suggests settings to fix them."""

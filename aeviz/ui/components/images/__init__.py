"""Image selection: images of the data set, and the user's own."""

"""From a body's settings to its layers: settings, shapes, modules, and the encoder and decoder made of them."""

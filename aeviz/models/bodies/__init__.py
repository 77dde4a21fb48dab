"""Network bodies: settings, shapes, modules, and the encoder and decoder built from them."""

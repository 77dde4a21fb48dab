"""Maps of codes: the register, and one file or folder per projection."""

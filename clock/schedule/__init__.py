"""Schedule files: declarations in, events out."""

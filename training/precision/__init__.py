"""Whether a model judges alike on features of another precision."""

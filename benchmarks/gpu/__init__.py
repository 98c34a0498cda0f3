"""`make gpu`: the GPU's tests, then its figures, on a machine that has one and no network."""

"""Models: fit, cross-validate, store, load, and turn probabilities into verdicts."""

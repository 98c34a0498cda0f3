"""How good a model would be on parts that it has not seen: folds by part, figures, curves."""

"""From probabilities to verdicts: the rules, and how training chooses them."""

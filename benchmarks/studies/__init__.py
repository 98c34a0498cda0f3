"""Studies of the rules that turn probabilities into verdicts; each writes results/study_*.json."""

"""Labels and stored features become models, and the gate decides which of them may serve."""

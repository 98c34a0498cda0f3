"""How pictures are framed and in which feature space a model lives; reading pictures again."""

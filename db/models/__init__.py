"""Model versions, where they serve, and what training and the gate found."""

"""What speaks to a receiver: one module a kind. No SQL here."""

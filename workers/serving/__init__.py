"""Which model serves which product, kept resident on the device."""

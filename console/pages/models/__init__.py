"""Model versions: what they promise, what they did, and which one serves."""

"""Programs to begin with: each runs by itself, and in a test."""

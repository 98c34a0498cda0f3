"""Unlike anything seen, unlike good: distances, their borders, and the memory of good patches."""

"""What the lines do at this moment, from roll-ups and indexes alone."""

"""Parts from their pictures: passes, dispositions, tallies."""

"""From the file of a picture to its committed verdict: decode, predict in batches, commit."""

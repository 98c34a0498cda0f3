"""Trains the compact encoders on drawn pictures: `python -m tools.train_compact --help`."""

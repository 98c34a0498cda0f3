"""A plant's data in one folder, checked, and back: `linewatch backup` and `linewatch restore`."""

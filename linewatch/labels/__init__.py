"""Labels in files: read, written, split."""

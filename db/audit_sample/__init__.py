"""The audit sample: a random share of what the model decided goes to people too, blind."""

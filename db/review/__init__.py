"""What people need to decide parts: which ones wait, what they look like, and what was said."""

"""Audit samples: who is drawn, and what they say of the line."""

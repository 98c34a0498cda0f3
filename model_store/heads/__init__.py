"""Heads: their kinds, how each is fitted, chosen and started from prompts."""

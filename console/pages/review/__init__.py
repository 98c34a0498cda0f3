"""Deciding the parts that wait for a person."""

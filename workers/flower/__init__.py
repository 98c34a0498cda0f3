"""Flower, made safe to look at."""

"""Recipes of features compared: `python -m benchmarks.recipes.run`."""

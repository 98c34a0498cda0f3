"""Drift: charts that look at one part after another."""

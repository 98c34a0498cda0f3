"""Linewatch inspects parts on production lines: camera to queue to classified to SQL to report."""

__version__ = "0.1.0"

"""Alerts: which conditions raise them, and who is told when and how."""

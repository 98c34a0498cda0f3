"""Shift calendars, in a plant's own time."""

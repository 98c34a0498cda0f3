"""Shift calendars, and the spans made from them: a part's shift and its plant day."""

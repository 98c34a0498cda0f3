"""Verdicts as rows, and the messages that never became one."""

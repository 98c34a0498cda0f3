"""The names of Redis keys that are not ours: kombu's and redbeat's, by their defaults."""

from __future__ import annotations

HELD = "unacked"  # hash: the messages that workers have taken, by delivery tag
HELD_SINCE = "unacked_index"  # sorted set: their tags, by the second they were taken
BEAT_LOCK = "redbeat::lock"  # exists while a beat runs
BEAT_PREFIX = "redbeat:"

"""What the notifier's own alerts say of workers and the queue."""

from __future__ import annotations

SILENT_WORKER = "worker {worker} does not answer since {since}; see its log"
LATE_MESSAGE = "the oldest message waits longer than {limit} s; {depth} wait; see `linewatch top`"
REDIS_AWAY = "Redis does not answer: pictures wait in the cameras' spools; see `linewatch doctor`"

"""The scheduler of `linewatch beat`: redbeat's, which waits while Redis is away.

redbeat's own ends at the first broken connection, and with it everything that it would have
started. Here a tick that fails is tried again a moment later, and says so once; what was due
meanwhile is sent as soon as Redis is back.
"""

from __future__ import annotations

import logging
from typing import Any

import redis
from celery.signals import beat_init
from kombu.exceptions import KombuError
from redbeat.schedulers import (
    LUA_EXTEND_TO_SCRIPT,
    RedBeatScheduler,
    acquire_distributed_beat_lock,
    get_redis,
)
from redis.exceptions import LockError

from linewatch.settings import get_settings

log = logging.getLogger(__name__)

RETRY_S = 1.0
_AWAY = (redis.RedisError, KombuError, OSError)

# It would wait for the lock in a way that ends for good when Redis does; `tick` takes it instead.
beat_init.disconnect(acquire_distributed_beat_lock)


class PatientScheduler(RedBeatScheduler):  # type: ignore[misc]
    """Holds redbeat's lock while it ticks; without it, stands by."""

    def __init__(self, app: Any, *arguments: Any, **options: Any) -> None:
        self._set_up = False
        self._trouble: str | None = None
        self._standing_by = False
        # Not in the application's configuration: a worker shows that to whoever asks, and Celery
        # hides no password in a setting that is not its own.
        app.conf.redbeat_redis_url = get_settings().redis_client_url
        super().__init__(app, *arguments, **options)

    def setup_schedule(self) -> None:
        """Store the schedule in Redis; where Redis is away, the first tick does it."""
        try:
            self._store_schedule()
        except _AWAY as error:
            self._note(error)

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Send what is due; returns how many seconds may pass until the next tick."""
        try:
            if not self._set_up:
                self._store_schedule()
            if not self._holds_lock():
                self._back()
                return float(self.max_interval)
            seconds = float(super().tick(*arguments, **options))
        except LockError:  # it ran out while Redis was away or this process slept
            log.warning("beat: the scheduler's lock is lost; taking it again")
            self.lock = None
            self._set_up = False  # a Redis that lost the lock may have lost the schedule with it
            return 0.0
        except _AWAY as error:
            self._note(error)
            return RETRY_S
        self._back()
        return seconds

    def close(self) -> None:
        """Give the lock back; without Redis it runs out by itself."""
        try:
            super().close()
        except _AWAY as error:
            log.info("beat: the lock was not given back and runs out: %s", error)
            self.lock = None

    def _store_schedule(self) -> None:
        super().setup_schedule()
        self._set_up = True

    def _holds_lock(self) -> bool:
        if self.lock is not None:
            return True
        client = get_redis(self.app)
        lock = client.lock(self.lock_key, timeout=self.lock_timeout)
        # redis-py's script adds to the time that is left; this one sets it, as redbeat has it.
        lock.lua_extend = client.register_script(LUA_EXTEND_TO_SCRIPT)
        if lock.acquire(blocking=False):
            self.lock, self._standing_by = lock, False
            log.info("beat: Acquired lock")
            return True
        if not self._standing_by:
            log.info("beat: another scheduler holds the lock; standing by")
            self._standing_by = True
        return False

    def _note(self, error: Exception) -> None:
        if self._trouble is None:  # once for each outage, not for each try
            log.warning("beat: Redis does not answer, waiting for it: %s", error)
        self._trouble = str(error)

    def _back(self) -> None:
        if self._trouble is not None:
            log.warning("beat: Redis answers again")
            self._trouble = None

"""Asks every few seconds how far the cameras' clocks are off."""

from __future__ import annotations

import logging

import redis
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db.clock import database_now
from db.session import reading
from linewatch.redis_access.client import quick_client
from linewatch.redis_access.clock import redis_now
from linewatch.settings import Settings
from outputs.camera_time import CameraTime
from outputs.stoppable_thread import StoppableThread
from producer.clock_skew import ClockSkew, camera_clocks

log = logging.getLogger(__name__)

EVERY_S = 10.0


class CameraClocks(StoppableThread):
    """Where Redis or the database does not answer, what was known last still counts."""

    def __init__(self, settings: Settings, engine: Engine) -> None:
        self._settings, self._engine = settings, engine
        self._found = CameraTime()
        self._problem = ""
        super().__init__("camera clocks")

    def __call__(self) -> CameraTime:
        """What is known now."""
        return self._found

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._found, problem = self._asked(), ""
            except (redis.RedisError, SQLAlchemyError) as error:
                problem = " ".join(str(error).split())[:300]
            if problem and problem != self._problem:
                log.warning("the cameras' clocks are not asked for: %s", problem)
            self._problem = problem
            self._stopping.wait(EVERY_S)

    def _asked(self) -> CameraTime:
        with quick_client(self._settings) as client:
            clocks = camera_clocks(client)
            skew, now_s = ClockSkew.measured(lambda: redis_now(client)), redis_now(client)
        with reading(self._engine) as connection:
            database = ClockSkew.measured(lambda: database_now(connection).timestamp())
        return CameraTime.of(clocks, skew, database, now_s)

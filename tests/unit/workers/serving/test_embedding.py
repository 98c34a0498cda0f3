"""How often an idle worker looks for labelled pictures without features."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

import pytest
import redis
from sqlalchemy.exc import OperationalError

from vision.pictures import Pictures
from workers.serving.embedding import REST, Embedder


class Plant:
    """Knows no product; asking for them may fail."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.asked = 0

    @property
    def products(self) -> list[str]:
        self.asked += 1
        if self._errors:
            raise self._errors.pop(0)
        return []


def embedder(plant: Plant) -> Embedder:
    nothing = cast(Any, None)
    return Embedder(
        nothing,
        nothing,
        cast(Any, plant),
        idle=lambda: True,
        pictures=Pictures((), 1),
        idle_s=1.0,
    )


def looks(made: Embedder, periods: int) -> None:
    for _ in range(periods):
        with suppress(OperationalError, redis.RedisError, RuntimeError):  # the thread logs it
            made._look()


def test_where_there_is_nothing_to_do_it_rests() -> None:
    plant = Plant()
    looks(embedder(plant), 2 * REST + 1)
    assert plant.asked == 3


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (OperationalError("SELECT", {}, Exception("away")), 2),
        (redis.TimeoutError("Timeout reading from socket"), 2),
        (RuntimeError("the device"), 1),
    ],
)
def test_it_rests_after_an_error_but_not_for_what_is_away(error: Exception, asked: int) -> None:
    plant = Plant(error)
    looks(embedder(plant), REST)
    assert plant.asked == asked

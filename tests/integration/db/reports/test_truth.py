"""A week of 500 parts of which the truth is known, and every report about it.

What a part is its scenario says (tests/support/planted/scenarios.py), what reports must say is
counted from that in plain Python and SQL: nothing here is shared with what counts in production.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.parts.recount import recount
from tests.support.planted.checks import counts_are_right, parts_are_right, timed
from tests.support.planted.clock import clock_of_the_plant
from tests.support.planted.reports import Planted
from tests.support.planted.scenarios import a_week
from tests.support.planted.story import play


def test_every_report_is_what_was_planted(engine: Engine, tmp_path: Path) -> None:
    planted_is_reported(engine, tmp_path, seed=1, parts=500)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_every_report_is_what_was_planted_in_large(
    engine: Engine, tmp_path: Path, seed: int
) -> None:
    planted_is_reported(engine, tmp_path, seed=seed, parts=2500)


def planted_is_reported(engine: Engine, folder: Path, *, seed: int, parts: int) -> None:
    with clock_of_the_plant(folder / "zones") as zone:
        week = a_week(seed, parts)
        play(engine, week, zone)
        proven = recount(engine, mend=True)
        assert (proven.parts, proven.lost, proven.wrong) == (0, 0, [])
        truth, received = timed(engine, week.truth)
        parts_are_right(engine, truth, received)
        counts_are_right(engine, truth, received)
        Planted(engine, zone, truth, received).check()

"""Parts that are told as incomplete, late, or otherwise than before."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.labels.decisions import NewDecision, add
from db.session import engine_for, transaction
from outputs import line_clock
from outputs.camera_time import CameraTime
from producer.contract import Verdict
from tests.support.dispatching import a_drop, dispatching, dropped, shown, words
from tests.support.outbox import committed, now_record
from tests.support.part_facts import a_plant
from tests.support.waiting import until, until_counted


def test_parts_whose_views_do_not_come_are_no_verdict_once_and_late_when_they_do(
    engine: Engine, drop: Path
) -> None:
    a_plant(engine, views=["top", "side"])
    with dispatching(engine, a_drop(drop), deadline_s=0.5):
        committed(engine, now_record(product="plug", part="HALF", camera="top"))
        whole = [now_record(product="plug", part="WHOLE", camera=c) for c in ("top", "side")]
        committed(engine, *whole)
        until(lambda: "no_verdict" in words("HALF", drop))
        committed(engine, now_record(product="plug", part="HALF", camera="side"))
        until(lambda: len(words("HALF", drop)) == 2)
    assert words("WHOLE", drop) == ["ok"]
    assert words("HALF", drop) == ["no_verdict", "ok"]
    last = next(one for one in dropped(drop) if one["part"] == "HALF" and one["revision"] == 2)
    assert (last["late"], last["passes"]) == (True, False)


@pytest.mark.parametrize(
    "count", [500, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(7200)])]
)
def test_parts_that_never_complete_hold_nobody_up(sqlite_url: str, drop: Path, count: int) -> None:
    engine = engine_for(sqlite_url)
    a_plant(engine, views=["top", "side"])
    old = datetime.now(UTC) - timedelta(seconds=1)
    with dispatching(engine, a_drop(drop, most=5000), deadline_s=0.5):
        for start in range(0, count, 250):
            half = (
                now_record(product="plug", part=f"H{n}", camera="top", captured_at=old)
                for n in range(start, start + 250)
            )
            committed(engine, *half)
        committed(engine, now_record(part="GOOD"))
        until_counted(lambda: len(words("GOOD", drop)), 1)
        until_counted(lambda: len(dropped(drop)), count + 1)
    found = dropped(drop)
    assert words("GOOD", drop) == ["ok"]
    assert len({one["part"] for one in found}) == count + 1
    assert sum(one["no_verdict"] for one in found) == count


def test_a_person_s_decision_is_told_as_a_revision(engine: Engine, drop: Path) -> None:
    a_plant(engine)
    with dispatching(engine, a_drop(drop)):
        committed(engine, now_record(product="plug", part="P-1", verdict=Verdict.REVIEW))
        until(lambda: words("P-1", drop) == ["open"])
        for label in ("bent", "bent"):  # the second says nothing new
            with transaction(engine) as connection:
                add(connection, [NewDecision("plug", "P-1", label, "anna")])
        committed(engine, now_record(part="LAST"))
        until(lambda: words("LAST", drop) == ["ok"])
    told = [one for one in dropped(drop) if one["part"] == "P-1"]
    assert [(one["result"], one["revision"]) for one in told] == [("open", 1), ("ng", 2)]


def test_a_camera_s_clock_that_is_behind_makes_nothing_late(engine: Engine, drop: Path) -> None:
    """Without the correction the part would be overdue, and late, as soon as it is committed."""
    behind = timedelta(minutes=-5)
    cameras = CameraTime({("L1", camera): behind for camera in ("top", "side")})
    a_plant(engine, views=["top", "side"])
    with dispatching(engine, a_drop(drop), cameras=lambda: cameras, deadline_s=120):
        made_at = datetime.now(UTC) + behind
        half = {"product": "plug", "part": "HALF", "captured_at": made_at}
        committed(engine, now_record(**half, camera="top"))
        committed(engine, now_record(part="OTHER", captured_at=made_at))
        until(lambda: words("OTHER", drop) == ["ok"])
        time.sleep(3 * line_clock.LOOK_S)
        committed(engine, now_record(**half, camera="side"))
        until(lambda: words("HALF", drop) != [])
    assert words("HALF", drop) == ["ok"]
    assert all(one["passes"] for one in dropped(drop))
    assert 0 <= float(shown(engine)["gate_p50_ms"] or 0) < 120_000

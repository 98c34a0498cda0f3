"""A challenge as it is held: what the line finds, what it misses, and who is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, delete, update

from db import alerts
from db.base import table_of
from db.challenges import challenges
from db.challenges.pictures import challenge_ids
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord, StoredFeatures
from db.labels import labels
from db.labels.labels import NewLabel, add_labels
from db.models import drift
from db.models.drift import Camera
from db.parts.purged import keep_views
from db.parts.settle import Serial, settle
from db.session import engine_for, transaction
from db.tables import Challenge, Inspection
from linewatch.cli import cli
from linewatch.errors import LinewatchError
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.committed import committed
from tests.support.database_users import database_users
from tests.support.part_facts import PRODUCT, a_plant, stored_parts
from tests.support.records import a_record
from workers.health.challenge_watch import ChallengeWatch
from workers.health.drift_watch import DriftWatch


@pytest.fixture
def settings(make_settings: Callable[..., Settings], database_url: str) -> Settings:
    return make_settings(database_url=database_url, plant_timezone="UTC")


def typed(*arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(cli, ["challenge", *arguments])
    assert found.exit_code == code, (found.output, found.exception)
    return found.output


def refused(*arguments: str) -> str:
    found = CliRunner().invoke(cli, ["challenge", *arguments])
    assert isinstance(found.exception, LinewatchError), found.output
    return str(found.exception)


def shown(line: str = "L1") -> dict[str, dict[str, Any]]:
    return {one["part"]: one for one in json.loads(typed("show", line, "--format", "json"))}


def a_line(engine: Engine) -> None:
    a_plant(engine)
    commit_inspections(engine, [of("before", Verdict.PASS, purpose=None)], UTC)


def of(serial: str, verdict: Verdict, **more: Any) -> InspectionRecord:
    """A picture that is taken now."""
    now = datetime.now(UTC)
    usual = {"product": PRODUCT, "part": serial, "verdict": verdict, "purpose": "challenge"}
    usual |= {"captured_at": now, "decided_at": now, "probabilities": None}
    usual |= {"defect_class": {"defect": "bent", "pass": "ok"}.get(verdict.value)}
    return a_record(**{**usual, **more})


def standing(engine: Engine) -> list[tuple[str, str | None]]:
    return [(one.kind, one.line) for one in alerts.open_alerts(engine)]


def test_a_line_that_finds_every_part_is_verified(
    settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    a_line(engine)
    file = tmp_path / "parts.csv"
    file.write_text("part,label\nB-1,bent\nB-2,burnt\nG-1,ok\n")
    typed("start", "L1", "--parts", str(file), "--part", "B-3")
    assert {part["state"] for part in shown().values()} == {"open"}
    views = [of("B-1", Verdict.PASS), of("B-1", Verdict.DEFECT), of("B-2", Verdict.DEFECT)]
    commit_inspections(engine, [*views, of("B-3", Verdict.DEFECT), of("G-1", Verdict.PASS)], UTC)
    assert {part["right"] for part in shown().values()} == {True}
    assert "verified, 4 of 4 parts" in typed("end", "L1")
    assert {part["state"] for part in shown().values()} == {"verified"}
    assert shown()["B-2"]["classes"] == "bent"
    assert standing(engine) == []
    assert {key[0] for key in stored_parts(engine)} == {"before"}
    rates = json.loads(
        CliRunner().invoke(cli, ["report", "defect-rate", "--format", "json"]).stdout
    )
    assert [row["parts"] for row in rates] == [1]


def test_what_was_missed_is_an_alert_until_a_line_is_verified(
    settings: Settings, engine: Engine
) -> None:
    a_line(engine)
    typed("start", "L1", *(f"--part=B-{n}" for n in range(4)))
    commit_inspections(
        engine,
        [of("B-0", Verdict.DEFECT), of("B-1", Verdict.PASS), of("B-2", Verdict.REVIEW)],
        UTC,
    )
    words = typed("end", "L1", code=1)
    assert "B-1 was passed; B-2 was left open (review); B-3 was not seen; hold what" in words
    assert standing(engine) == [("challenge_missed", "L1")]
    assert [part["right"] for part in shown().values()] == [True, False, False, False]
    typed("start", "L1", "--part", "B-0")
    commit_inspections(engine, [of("B-0", Verdict.DEFECT)], UTC)
    typed("end", "L1")
    assert standing(engine) == []


def test_a_part_must_be_found_each_time_it_goes_through(engine: Engine) -> None:
    a_line(engine)
    committed(engine, challenges.start, "L1", [(PRODUCT, "B", "")], minutes=9, by="ann")
    first, second = (of("B", verdict) for verdict in (Verdict.DEFECT, Verdict.PASS))
    commit_inspections(engine, [replace(first, pass_number=1)], UTC)
    commit_inspections(engine, [replace(second, pass_number=2)], UTC)
    assert not committed(engine, challenges.end, "L1", by="ann").verified


def test_others_that_say_challenge_are_ordinary_parts_and_an_alert(
    settings: Settings, engine: Engine
) -> None:
    a_line(engine)
    typed("start", "L1", "--part", "B-1")
    early = of("B-1", Verdict.DEFECT, captured_at=datetime.now(UTC) - timedelta(minutes=2))
    strays = [early, of("X", Verdict.DEFECT), of("B-1", Verdict.DEFECT, line="L2")]
    for stray in strays:
        commit_inspections(engine, [stray], UTC)
    assert {key[0] for key in stored_parts(engine)} == {"before", "B-1", "X"}
    assert sorted(standing(engine)) == [("challenge_stray", "L1"), ("challenge_stray", "L2")]
    (alert,) = [one for one in alerts.open_alerts(engine) if one.line == "L1"]
    assert alert.message.startswith("L1: part B-1 came with purpose 'challenge' while no challenge")
    with transaction(engine) as connection:
        alerts.resolve(connection, kind="challenge_stray", line="L1")
        alerts.resolve(connection, kind="challenge_stray", line="L2")
    commit_inspections(engine, strays, UTC)  # a second delivery says nothing new
    assert standing(engine) == []
    commit_inspections(engine, [of("", Verdict.PASS, part=None, line="L2")], UTC)
    assert standing(engine) == [("challenge_stray", "L2")]
    mine = of("B-1", Verdict.DEFECT)
    assert challenge_ids(engine, [*strays, mine]) == {mine.id}


def test_no_model_learns_from_a_challenge(engine: Engine) -> None:
    a_line(engine)
    committed(engine, challenges.start, "L1", [(PRODUCT, "B", "bent")], minutes=9, by="ann")
    features = StoredFeatures("f", b"12")
    mine, other = (of(s, Verdict.DEFECT, features=features) for s in ("B", "C"))
    bare = of("B", Verdict.DEFECT)
    commit_inspections(engine, [mine, other, bare], UTC)
    said = [NewLabel(one.id, "bent", "ann") for one in (mine, other, bare)]
    committed(engine, add_labels, said)
    assert [one.id for one in labels.training_set(engine, PRODUCT, "f")] == [other.id]
    assert labels.without_features(engine, PRODUCT, "f") == []
    assert labels.new_since_training(engine) == {PRODUCT: 1}
    assert labels.labelled_challenges(engine, PRODUCT) == {mine.id, bare.id}


def test_a_challenge_whose_time_is_over_is_ended_by_a_worker(engine: Engine) -> None:
    a_line(engine)
    committed(engine, challenges.start, "L1", [(PRODUCT, "B", "bent")], minutes=9, by="ann")
    watch = ChallengeWatch(engine)
    watch.check()
    assert standing(engine) == []
    with transaction(engine) as connection:
        over = {"expires_at": datetime.now(UTC)}
        connection.execute(update(table_of(Challenge)).values(**over))
    watch.check()
    watch.check()
    assert standing(engine) == [("challenge_missed", "L1")]
    late = of("B", Verdict.DEFECT)
    commit_inspections(engine, [late], UTC)
    assert "B" in {key[0] for key in stored_parts(engine)}


def test_a_challenge_that_cannot_be(settings: Settings, engine: Engine, tmp_path: Path) -> None:
    a_line(engine)
    file = tmp_path / "parts.csv"
    file.write_text("part,label\nB-1,bnet\n")
    twice = tmp_path / "twice.csv"
    twice.write_text("part,label\nB-1,bent\nB-1,burnt\n")
    for arguments, words in (
        (("start", "l1", "--part", "B"), "no line is called 'l1'; did you mean 'L1'?"),
        (("start", "L1"), "name the parts that go through"),
        (("start", "L1", "--parts", str(file)), "has no class 'bnet'; it has ok, bent, burnt"),
        (("start", "L1", "--parts", str(twice)), "part 'B-1' is named twice"),
        (("start", "L1", "--part", "B", "--product", "plog"), "did you mean 'plug'?"),
        (("end", "L1"), "line L1 has no challenge; start one with"),
        (("show", "l1"), "no line is called 'l1'; did you mean 'L1'?"),
        (("start", "L1", "--part", ""), "a part has no serial number"),
    ):
        assert words in refused(*arguments)
    unending = ("start", "L1", "--part", "B", "--minutes", "nan")
    assert "'nan' is not a number" in typed(*unending, code=2)
    typed("start", "L1", "--part", "B")
    assert "line L1 has a challenge already" in refused("start", "L1", "--part", "B")


def test_roles(postgresql_url: str) -> None:
    """The console holds challenges, a worker ends those that are due, nobody else does."""
    owner = engine_for(postgresql_url)
    a_line(owner)
    with database_users(postgresql_url) as users:
        worker, console = users.engine("worker"), users.engine("console")
        parts = [(PRODUCT, "B", "bent")]
        committed(console, challenges.start, "L1", parts, minutes=9, by="ann")
        commit_inspections(worker, [of("B", Verdict.DEFECT), of("C", Verdict.PASS)], UTC)
        with transaction(owner) as connection:
            connection.execute(update(table_of(Challenge)).values(expires_at=datetime.now(UTC)))
        ChallengeWatch(worker).check()
        assert standing(owner) == [("challenge_stray", "L1")]
        committed(console, challenges.start, "L1", parts, minutes=9, by="ann")
        committed(console, challenges.end, "L1", by="ann")
        forbidden = {
            "worker": ["UPDATE challenges SET expires_at = now()", "DELETE FROM challenges"],
            "maintenance": ["UPDATE challenges SET ended_at = now()"],
            "console": ["DELETE FROM challenge_parts", "UPDATE challenge_parts SET serial = ''"],
            "reports": ["UPDATE challenges SET ended_at = now()"],
        }
        for role, statements in forbidden.items():
            for statement in statements:
                with (
                    pytest.raises(Exception, match="permission denied"),
                    transaction(users.engine(role)) as connection,
                ):
                    connection.exec_driver_sql(statement)
        with pytest.raises(Exception, match="permission denied"):
            committed(worker, challenges.start, "L1", parts, minutes=9, by="ann")


def test_no_camera_drifts_by_a_challenge(engine: Engine) -> None:
    """Whose bad parts look unlike all others; strays are production, and are looked at."""
    a_line(engine)
    committed(engine, challenges.start, "L1", [(PRODUCT, "B", "")], minutes=9, by="ann")
    rng, camera = np.random.default_rng(0), Camera(PRODUCT, "L1", "C1", "cable-1")

    def pictures(serial: str, shift: float) -> list[InspectionRecord]:
        vectors = (rng.normal(size=(150, 64)) + shift).astype("<f2")
        kept = [StoredFeatures("f", vector.tobytes()) for vector in vectors]
        sure = rng.beta(8, 2, size=150).tolist()
        return [
            of(serial, Verdict.PASS, features=one, confidence=how)
            for one, how in zip(kept, sure, strict=True)
        ]

    watch = DriftWatch(engine, baseline_parts=150, false_alarm=0.1)
    watch.note(pictures("B", 0.0))
    watch.check()
    assert drift.baseline(engine, camera) is None
    watch.note(pictures("X", 0.0))
    watch.check()
    assert drift.baseline(engine, camera) is not None
    watch.note(pictures("B", 0.8))
    watch.check()
    assert standing(engine) == []
    watch.note(pictures("X", 0.8))
    watch.check()
    assert standing(engine) == [("drift", "L1")]


def test_a_challenge_whose_pictures_are_purged_stays_out(engine: Engine) -> None:
    a_line(engine)
    committed(engine, challenges.start, "L1", [(PRODUCT, "B", "")], minutes=9, by="ann")
    commit_inspections(engine, [of("B", Verdict.DEFECT)], UTC)
    committed(engine, challenges.end, "L1", by="ann")
    mine = table_of(Inspection).c.part == "B"
    with transaction(engine) as connection:
        assert keep_views(connection, mine) == 1
        connection.execute(delete(table_of(Inspection)).where(mine))
        settle(connection, [Serial(PRODUCT, "B")])
    assert {key[0] for key in stored_parts(engine)} == {"before"}


def test_a_picture_of_a_clock_ahead_is_the_challenge_s_while_it_is_open(engine: Engine) -> None:
    """Stored before the start, made after it; and made after the end, when that comes early."""
    a_line(engine)
    ahead = datetime.now(UTC) + timedelta(minutes=2)
    commit_inspections(engine, [of("B", Verdict.DEFECT, captured_at=ahead)], UTC)
    assert {key[0] for key in stored_parts(engine)} == {"before", "B"}
    committed(engine, challenges.start, "L1", [(PRODUCT, "B", "")], minutes=9, by="ann")
    assert {key[0] for key in stored_parts(engine)} == {"before"}
    assert not committed(engine, challenges.end, "L1", by="ann").verified
    assert {key[0] for key in stored_parts(engine)} == {"before", "B"}

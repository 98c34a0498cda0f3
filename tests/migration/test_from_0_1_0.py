"""A plant's database of 0.1.0, with purged and dropped months, becomes one that counts parts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text

from db import migrate
from db.calendars.ahead import ensure_spans
from db.parts.backfill import backfill
from db.parts.recount import recount
from db.parts.recounted import Recounted
from db.reports.groups import Filters
from db.reports.part_reports.defect_rate import defect_rate
from db.reports.part_reports.filters import PartFilters
from db.reports.pictures import picture_rates
from db.retention import partitions
from db.session import engine_for, transaction

LAST_OF_0_1_0 = "0007"
NOW = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
PURGED_UNTIL = NOW - timedelta(days=60)


def uuid7(at: datetime, number: int) -> UUID:
    """As 0.1.0 numbers pictures: by their time."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (7 << 76) | (2 << 62) | number)


def a_plant_of_0_1_0(engine: Engine) -> int:
    """Half a year of it: two views a part a day, one of them bad every tenth day."""
    numbers = iter(range(10_000))
    with transaction(engine) as connection:
        add(connection, "products", code="cable", name="", spec="{}", created_at=NOW)
        for code, good in (("ok", True), ("bent", False)):
            place = 0 if good else 1
            fields = {"product": "cable", "code": code, "good": good, "prompts": "[]"}
            add(connection, "defect_classes", position=place, **fields)
        for day in range(150):
            at = NOW - timedelta(days=150 - day)
            for camera in ("C1", "C2"):
                bad = day % 10 == 0 and camera == "C2"
                picture(connection, uuid7(at, next(numbers)), at, f"P{day}", camera, bad=bad)
            picture(connection, uuid7(at, next(numbers)), at, None, "C1", bad=day % 20 == 0)
        labelled = uuid7(NOW - timedelta(days=150), 0)
        fields = {"inspection_id": labelled, "product": "cable", "label": "bent", "note": ""}
        times = {"labelled_at": NOW, "recorded_at": NOW, "labelled_by": "ann", "source": "csv"}
        add(connection, "labels", **fields, **times)
    return 450


def picture(
    connection: Connection, id_: UUID, at: datetime, part: str | None, camera: str, *, bad: bool
) -> None:
    said = {"verdict": "defect" if bad else "pass", "defect_class": "bent" if bad else "ok"}
    place = {"product": "cable", "line": "L1", "camera": camera, "lot": "A"}
    times = {"captured_at": at - timedelta(seconds=2), "decided_at": at}
    more = {"id": id_, "part": part, "model_version": "cable-1", "attempt": 1}
    add(connection, "inspections", **place, **said, **times, **more)
    hour = at.replace(minute=0)
    add(
        connection,
        "inspection_hourly",
        hour=hour,
        model_version="cable-1",
        count=1,
        **place,
        **said,
    )


def add(connection: Connection, table: str, **fields: Any) -> None:
    """A row, in plain SQL: the tables are not those of today."""
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        fields = {n: v.hex if isinstance(v, UUID) else v for n, v in fields.items()}
        fields = {
            n: f"{v:%Y-%m-%d %H:%M:%S.%f}" if isinstance(v, datetime) else v
            for n, v in fields.items()
        }
    names = ", ".join(fields)
    values = ", ".join(f":{name}" for name in fields)
    more = ""
    if table == "inspection_hourly":
        keys = "hour, product, line, camera, lot, verdict, defect_class, model_version"
        more = f" ON CONFLICT ({keys}) DO UPDATE SET count = inspection_hourly.count + 1"
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values}){more}"), fields)


def purge(engine: Engine) -> None:
    """As 0.1.0 does: nothing is left of a picture but its hour's count; labelled ones stay."""
    before = PURGED_UNTIL
    stored = f"{before:%Y-%m-%d %H:%M:%S.%f}" if engine.dialect.name == "sqlite" else before
    with transaction(engine) as connection:
        connection.execute(
            text(
                "DELETE FROM inspections WHERE decided_at < :before"
                " AND id NOT IN (SELECT inspection_id FROM labels)"
            ),
            {"before": stored},
        )


def convert(engine: Engine) -> None:
    """To a partition a month; with the indexes that 0.1.0 had, and not with those of today."""
    query = text(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " AND tablename = 'inspections' AND indexname NOT LIKE 'pk_%'"
    )
    with transaction(engine) as connection:
        before = connection.execute(query).all()
        partitions.convert(connection, months_ahead=1)
        for row in connection.execute(query).all():
            connection.execute(text(f"DROP INDEX {row.indexname}"))
        for row in before:
            connection.execute(text(row.indexdef))


def drop_a_month(engine: Engine) -> None:
    """Of the purged time, one with nothing labelled in it, as 0.1.0 drops one."""
    month = next(
        one
        for one in partitions.existing(engine)
        if one.begins > NOW - timedelta(days=150) and one.next.begins <= PURGED_UNTIL
    )
    with transaction(engine) as connection:
        for table in ("inspections", "inspection_scores", "features"):
            one = f"{table}_{month.name[-7:]}"
            connection.execute(text(f"ALTER TABLE {table} DETACH PARTITION {one}"))
            connection.execute(text(f"DROP TABLE {one}"))


@pytest.mark.parametrize("kept", ["by row", "by month"])
def test_an_old_plant_counts_what_is_left_and_says_what_is_not(
    empty_database_url: str, kept: str
) -> None:
    engine = engine_for(empty_database_url)
    if kept == "by month" and engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no partitions")
    migrate.upgrade(empty_database_url, LAST_OF_0_1_0)
    pictures = a_plant_of_0_1_0(engine)
    if kept == "by month":
        convert(engine)
        drop_a_month(engine)
    purge(engine)
    migrate.upgrade(empty_database_url)
    with transaction(engine) as connection:
        ensure_spans(connection, UTC)
    left = sum(backfill(engine, batch=50))
    assert left == 1 + 3 * 60

    everything = defect_rate(engine, PartFilters(), (), UTC)
    (row,) = everything.rows
    days = range(90, 150)  # and the labelled picture of day 0
    bad = sum(day % 10 == 0 for day in days) + sum(day % 20 == 0 for day in days)
    assert (row["parts"], row["nonconforming"]) == (2 * 60 + 1, bad + 1)
    assert (row["unserialised"], row["by_person"]) == (60, 1)
    (note,) = everything.notes
    assert "purged before there were counts of parts" in note
    assert f"before {PURGED_UNTIL.isoformat(timespec='minutes')}" in note
    since = PartFilters(since=PURGED_UNTIL.replace(minute=30))
    assert defect_rate(engine, since, (), UTC).notes == ()
    (by_hour,) = picture_rates(engine, Filters(), (), UTC)
    assert by_hour.inspected == pictures
    assert recount(engine, mend=True) == Recounted()


def test_a_plant_that_purged_nothing_has_nothing_to_say(empty_database_url: str) -> None:
    engine = engine_for(empty_database_url)
    migrate.upgrade(empty_database_url, LAST_OF_0_1_0)
    a_plant_of_0_1_0(engine)
    migrate.upgrade(empty_database_url)
    (unfinished,) = defect_rate(engine, PartFilters(), (), UTC).notes
    assert unfinished.startswith("pictures of before the last upgrade are still being counted")
    assert sum(backfill(engine)) == 450
    assert defect_rate(engine, PartFilters(), (), UTC).notes == ()

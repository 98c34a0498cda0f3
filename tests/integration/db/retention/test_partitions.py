"""Partitions by month, on a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from db import products
from db.base import Base, table_of
from db.inspections.inspections import commit_inspections, existing, outcomes
from db.inspections.records import StoredFeatures
from db.labels import golden_members, labels
from db.retention import partitions
from db.retention.months import Month, first_id
from db.session import engine_for, reading, transaction
from db.tables import GoldenItem
from linewatch.errors import DatabaseError
from linewatch.products import load_product, product_files
from tests.support.committed import committed
from tests.support.interleaving import meanwhile
from tests.support.records import a_record


def id_at(instant: datetime) -> UUID:
    """A UUIDv7 made at `instant`."""
    low = uuid4().int & ((1 << 62) - 1)
    return UUID(int=first_id(instant).int | 7 << 76 | 0b10 << 62 | low)


@pytest.fixture
def postgresql(postgresql_url: str) -> Engine:
    engine = engine_for(postgresql_url)
    for path in product_files():
        committed(engine, products.register, load_product(path))
    return engine


def commit(engine: Engine, *instants: datetime) -> list[UUID]:
    records = [
        a_record(id=id_at(at), decided_at=at, features=StoredFeatures("f", b"12"))
        for at in instants
    ]
    assert len(commit_inspections(engine, records, UTC)) == len(records)
    return [record.id for record in records]


def rows_of(engine: Engine, table: str) -> int:
    with reading(engine) as connection:
        return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=100)


def test_converting_keeps_rows_rights_and_indexes(postgresql: Engine) -> None:
    (old,) = commit(postgresql, OLD)
    (new,) = commit(postgresql, NOW)
    nameless = a_record(id=uuid4())
    commit_inspections(postgresql, [nameless], UTC)
    committed(postgresql, labels.add_labels, [labels.NewLabel(old, "good", "ann")])
    with transaction(postgresql) as connection:
        connection.execute(text("GRANT SELECT, INSERT ON inspections TO PUBLIC"))
    assert committed(postgresql, partitions.convert, months_ahead=2) == 3
    assert existing(postgresql, [old, new, nameless.id]) == {old, new, nameless.id}
    assert rows_of(postgresql, "features") == 2
    assert rows_of(postgresql, f"inspections_{Month.of(OLD).name}") == 1
    assert rows_of(postgresql, "inspections_default") == 1
    inspector = inspect(postgresql)
    for table in ("inspections", "inspection_scores", "features"):
        indexes = {index["name"] for index in inspector.get_indexes(table)}
        described = Base.metadata.tables[table].indexes
        mine = {one.name for one in described if one.info.get("database") != "sqlite"}
        assert indexes == mine
        assert inspector.get_pk_constraint(table)["name"] == f"pk_{table}"
    with reading(postgresql) as connection:
        rights = text(
            "SELECT privilege_type FROM information_schema.role_table_grants"
            " WHERE table_name = 'inspections' AND grantee = 'PUBLIC' ORDER BY 1"
        )
        assert connection.execute(rights).scalars().all() == ["INSERT", "SELECT"]


def test_a_partitioned_table_commits_once_and_refuses_foreign_labels(postgresql: Engine) -> None:
    committed(postgresql, partitions.convert, months_ahead=1)
    record = a_record(id=id_at(NOW), decided_at=NOW)
    assert commit_inspections(postgresql, [record], UTC) == {record.id}
    assert commit_inspections(postgresql, [record], UTC) == frozenset()
    assert set(outcomes(postgresql, [record.id])) == {record.id}
    row = {"inspection_id": uuid4(), "product": "cable", "set_name": "g", "label": "good"}
    foreign = table_of(GoldenItem).insert().values(**row, added_at=NOW, added_by="ann")
    with pytest.raises(IntegrityError), transaction(postgresql) as connection:
        connection.execute(foreign)


def test_months_are_made_ahead_and_only_once(postgresql: Engine) -> None:
    committed(postgresql, partitions.convert, months_ahead=1)
    this = Month.of(NOW)
    assert partitions.existing(postgresql) == [this, this.next]
    made = partitions.make_ahead(postgresql, 3)
    assert made == [this.next.next, this.next.next.next]
    assert partitions.make_ahead(postgresql, 3) == []


def test_a_month_whose_rows_lie_in_the_default_partition_stays_there(postgresql: Engine) -> None:
    committed(postgresql, partitions.convert, months_ahead=1)
    (future,) = commit(postgresql, NOW + timedelta(days=80))
    partitions.make_ahead(postgresql, 4)
    assert existing(postgresql, [future]) == {future}
    assert Month.of(NOW + timedelta(days=80)) not in partitions.existing(postgresql)


def test_an_old_month_is_dropped_unless_something_of_it_is_kept(postgresql: Engine) -> None:
    (forgotten,) = commit(postgresql, OLD)
    labelled, golden_one = commit(postgresql, OLD - timedelta(days=62), OLD - timedelta(days=124))
    committed(postgresql, labels.add_labels, [labels.NewLabel(labelled, "good", "ann")])
    committed(postgresql, golden_members.add, "cable", "g", {golden_one: "good"}, by="ann")
    committed(postgresql, partitions.convert, months_ahead=1)
    before = NOW - timedelta(days=60)
    droppable = partitions.droppable(postgresql, before)
    assert Month.of(OLD) in droppable
    assert not {Month.of(OLD - timedelta(days=days)) for days in (62, 124)} & set(droppable)
    assert committed(postgresql, partitions.drop, Month.of(OLD), before) == 1
    assert existing(postgresql, [forgotten, labelled, golden_one]) == {labelled, golden_one}
    assert rows_of(postgresql, "features") == 2
    kept = Month.of(OLD - timedelta(days=62))
    assert committed(postgresql, partitions.drop, kept, before) is None
    with (  # the database holds on even if we did not look
        pytest.raises(IntegrityError),
        transaction(postgresql) as connection,
    ):
        connection.execute(text("SELECT linewatch_drop_month(:day)"), {"day": kept.begins.date()})
    assert rows_of(postgresql, "features") == 2


def test_a_month_with_a_late_verdict_is_not_dropped(postgresql: Engine) -> None:
    record = a_record(id=id_at(OLD), decided_at=NOW)  # a spool that lay on a shelf
    commit(postgresql, OLD)
    commit_inspections(postgresql, [record], UTC)
    committed(postgresql, partitions.convert, months_ahead=1)
    assert Month.of(OLD) not in partitions.droppable(postgresql, NOW - timedelta(days=30))


def test_a_late_picture_that_comes_after_the_look_keeps_its_month(postgresql: Engine) -> None:
    """A receipt told its camera to forget it."""
    (old,) = commit(postgresql, OLD)
    committed(postgresql, partitions.convert, months_ahead=1)
    before = NOW - timedelta(days=60)
    assert Month.of(OLD) in partitions.droppable(postgresql, before)
    late = a_record(id=id_at(OLD), decided_at=NOW)
    arrives = partial(commit_inspections, postgresql, [late], UTC)
    with meanwhile(postgresql, "LOCK TABLE ONLY inspections", arrives):
        assert committed(postgresql, partitions.drop, Month.of(OLD), before) is None
    assert existing(postgresql, [old, late.id]) == {old, late.id}


def test_a_picture_that_comes_while_its_month_goes_is_kept(postgresql: Engine) -> None:
    (old,) = commit(postgresql, OLD)
    committed(postgresql, partitions.convert, months_ahead=1)
    late = a_record(id=id_at(OLD), decided_at=NOW)
    arrives = partial(commit_inspections, postgresql, [late], UTC)
    with meanwhile(postgresql, "SELECT linewatch_drop_month", arrives, waits=True):
        drop = committed(postgresql, partitions.drop, Month.of(OLD), NOW - timedelta(days=60))
    assert drop == 1
    assert existing(postgresql, [old, late.id]) == {late.id}


def test_two_who_convert_at_once(postgresql: Engine) -> None:
    (old,) = commit(postgresql, OLD)
    other = partial(committed, postgresql, partitions.convert, months_ahead=1)
    with (
        pytest.raises(DatabaseError, match="partitioned by month already"),
        meanwhile(postgresql, "LOCK TABLE", other),
    ):
        committed(postgresql, partitions.convert, months_ahead=1)
    assert existing(postgresql, [old]) == {old}


def test_what_cannot_be_converted_says_why(postgresql: Engine, sqlite_url: str) -> None:
    commit(postgresql, NOW, OLD)
    with pytest.raises(DatabaseError, match="2 inspections are more than 1"):
        committed(postgresql, partitions.convert, months_ahead=1, most_rows=1)
    committed(postgresql, partitions.convert, months_ahead=1)
    with pytest.raises(DatabaseError, match="already"):
        committed(postgresql, partitions.convert, months_ahead=1)
    with pytest.raises(DatabaseError, match="only PostgreSQL"):
        committed(engine_for(sqlite_url), partitions.convert, months_ahead=1)


def test_the_planner_knows_a_partitioned_table(postgresql: Engine) -> None:
    commit(postgresql, NOW)
    committed(postgresql, partitions.convert, months_ahead=1)
    known = text("SELECT count(*) FROM pg_stats WHERE tablename = 'inspections' AND inherited")
    with reading(postgresql) as connection:
        assert connection.scalar(known) == 0
    partitions.analyse(postgresql)
    with reading(postgresql) as connection:
        assert connection.scalar(known) > 0

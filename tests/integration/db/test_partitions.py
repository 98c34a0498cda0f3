"""Partitions by month, on a real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from db import golden, labels, partitions, products
from db.base import Base
from db.inspections import commit_inspections, existing, outcomes, scores
from db.months import Month, first_id
from db.records import StoredFeatures
from db.session import engine_for, reading, transaction
from linewatch.errors import DatabaseError
from linewatch.products import load_product, product_files
from tests.support.records import a_record


def id_at(instant: datetime) -> UUID:
    """A UUIDv7 made at `instant`."""
    low = uuid4().int & ((1 << 62) - 1)
    return UUID(int=first_id(instant).int | 7 << 76 | 0b10 << 62 | low)


@pytest.fixture
def postgresql(postgresql_url: str) -> Engine:
    engine = engine_for(postgresql_url)
    for path in product_files():
        products.register(engine, load_product(path))
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
    labels.add_labels(postgresql, [labels.NewLabel(old, "good", "ann")])
    with transaction(postgresql) as connection:
        connection.execute(text("GRANT SELECT, INSERT ON inspections TO PUBLIC"))
    assert partitions.convert(postgresql, months_ahead=2) == 3
    assert existing(postgresql, [old, new, nameless.id]) == {old, new, nameless.id}
    assert scores(postgresql, old)["cable-1"]["good"] == 0.75
    assert rows_of(postgresql, "features") == 2
    assert rows_of(postgresql, f"inspections_{Month.of(OLD).name}") == 1
    assert rows_of(postgresql, "inspections_default") == 1
    inspector = inspect(postgresql)
    for table in ("inspections", "inspection_scores", "features"):
        indexes = {index["name"] for index in inspector.get_indexes(table)}
        assert indexes == {index.name for index in Base.metadata.tables[table].indexes}
        assert inspector.get_pk_constraint(table)["name"] == f"pk_{table}"
    with reading(postgresql) as connection:
        rights = text(
            "SELECT privilege_type FROM information_schema.role_table_grants"
            " WHERE table_name = 'inspections' AND grantee = 'PUBLIC' ORDER BY 1"
        )
        assert connection.execute(rights).scalars().all() == ["INSERT", "SELECT"]


def test_a_partitioned_table_commits_once_and_refuses_foreign_labels(postgresql: Engine) -> None:
    partitions.convert(postgresql, months_ahead=1)
    record = a_record(id=id_at(NOW), decided_at=NOW)
    assert commit_inspections(postgresql, [record], UTC) == {record.id}
    assert commit_inspections(postgresql, [record], UTC) == frozenset()
    assert set(outcomes(postgresql, [record.id])) == {record.id}
    with pytest.raises(IntegrityError):
        golden.add(postgresql, "cable", "g", {uuid4(): "good"}, by="ann")


def test_months_are_made_ahead_and_only_once(postgresql: Engine) -> None:
    partitions.convert(postgresql, months_ahead=1)
    this = Month.of(NOW)
    assert partitions.existing(postgresql) == [this, this.next]
    made = partitions.make_ahead(postgresql, 3)
    assert made == [this.next.next, this.next.next.next]
    assert partitions.make_ahead(postgresql, 3) == []


def test_a_month_whose_rows_lie_in_the_default_partition_stays_there(postgresql: Engine) -> None:
    partitions.convert(postgresql, months_ahead=1)
    (future,) = commit(postgresql, NOW + timedelta(days=80))
    partitions.make_ahead(postgresql, 4)
    assert existing(postgresql, [future]) == {future}
    assert Month.of(NOW + timedelta(days=80)) not in partitions.existing(postgresql)


def test_an_old_month_is_dropped_unless_something_of_it_is_kept(postgresql: Engine) -> None:
    (forgotten,) = commit(postgresql, OLD)
    labelled, golden_one = commit(postgresql, OLD - timedelta(days=62), OLD - timedelta(days=124))
    labels.add_labels(postgresql, [labels.NewLabel(labelled, "good", "ann")])
    golden.add(postgresql, "cable", "g", {golden_one: "good"}, by="ann")
    partitions.convert(postgresql, months_ahead=1)
    before = NOW - timedelta(days=60)
    droppable = partitions.droppable(postgresql, before)
    assert Month.of(OLD) in droppable
    assert not {Month.of(OLD - timedelta(days=days)) for days in (62, 124)} & set(droppable)
    assert partitions.drop(postgresql, Month.of(OLD)) == 1
    assert existing(postgresql, [forgotten, labelled, golden_one]) == {labelled, golden_one}
    assert rows_of(postgresql, "features") == 2
    with pytest.raises(IntegrityError):  # the database holds on even if we did not look
        partitions.drop(postgresql, Month.of(OLD - timedelta(days=62)))
    assert rows_of(postgresql, "features") == 2


def test_a_month_with_a_late_verdict_is_not_dropped(postgresql: Engine) -> None:
    record = a_record(id=id_at(OLD), decided_at=NOW)  # a spool that lay on a shelf
    commit(postgresql, OLD)
    commit_inspections(postgresql, [record], UTC)
    partitions.convert(postgresql, months_ahead=1)
    assert Month.of(OLD) not in partitions.droppable(postgresql, NOW - timedelta(days=30))


def test_what_cannot_be_converted_says_why(postgresql: Engine, sqlite_url: str) -> None:
    commit(postgresql, NOW, OLD)
    with pytest.raises(DatabaseError, match="2 inspections are more than 1"):
        partitions.convert(postgresql, months_ahead=1, most_rows=1)
    partitions.convert(postgresql, months_ahead=1)
    with pytest.raises(DatabaseError, match="already"):
        partitions.convert(postgresql, months_ahead=1)
    with pytest.raises(DatabaseError, match="only PostgreSQL"):
        partitions.convert(engine_for(sqlite_url), months_ahead=1)

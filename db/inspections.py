"""Inspections: committed once, however often they are delivered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from db.base import table_of
from db.batch_insert import insert_batch
from db.hours import plant_hour
from db.records import InspectionRecord, Outcome, StoredFeatures
from db.requeues import replace_rows
from db.rollup import add_counts, rollup_key
from db.rows import feature_row, inspection_row, score_row, shadow_row
from db.session import reading, transaction
from db.stations import Station, register, remember, unknown_stations
from db.tables import Feature, Inspection, InspectionScore
from db.upsert import insert_many_into, many
from producer.contract import Reason, Verdict

__all__ = [
    "InspectionRecord",
    "Outcome",
    "StoredFeatures",
    "by_part",
    "commit_inspections",
    "existing",
    "outcomes",
    "scores",
]

_INSPECTIONS = table_of(Inspection)


def commit_inspections(
    engine: Engine, records: Iterable[InspectionRecord], timezone: tzinfo
) -> frozenset[UUID]:
    """Store `records` in one transaction; returns the ids that were not there before.

    An id that is there already, or comes twice, changes nothing: neither its row, nor its scores,
    nor the counts. One whose dead letter was sent again replaces its row, once, and counts as new
    (see `db.requeues`). `timezone` is the plant's; it says which hour a picture counts in.

    Raises:
        sqlalchemy.exc.DBAPIError: the database is away or refused; nothing was stored.
    """
    # Sorted by id, or two workers with the same pictures in another order could deadlock.
    unique = {record.id: record for record in reversed(list(records))}
    ordered = [unique[id_] for id_ in sorted(unique)]
    if not ordered:
        return frozenset()
    rows = [inspection_row(record) for record in ordered]
    stations = unknown_stations(engine, rows)
    if engine.dialect.name == "postgresql":
        new = _commit_batch(engine, ordered, rows, stations, timezone)
    else:
        new = _commit_rows(engine, ordered, rows, stations, timezone)
    remember(engine, stations)
    return new


def _commit_batch(
    engine: Engine,
    records: Sequence[InspectionRecord],
    rows: Sequence[Mapping[str, Any]],
    stations: dict[Station, datetime],
    timezone: tzinfo,
) -> frozenset[UUID]:
    """On PostgreSQL: one statement for what is new, a transaction for the rare rest."""
    if stations:  # once in a station's life; without its pictures it harms nobody
        with transaction(engine) as connection:
            register(connection, stations)
    joined, vectors = [], []
    for row, record in zip(rows, records, strict=True):
        score, shadow, feature = score_row(record), shadow_row(record), feature_row(record)
        fields = {**row, "hour": plant_hour(row["decided_at"], timezone)}
        fields["probabilities"] = None if score is None else score["probabilities"]
        if shadow is not None:
            fields["shadow_version"] = shadow["model_version"]
            for name in ("probabilities", "verdict", "reason"):
                fields[f"shadow_{name}"] = shadow[name]
        fields["fingerprint"] = None if feature is None else feature["fingerprint"]
        joined.append(fields)
        vectors.append(None if feature is None else feature["vector"])
    new = insert_batch(engine, joined, vectors)
    if len(new) < len(rows):
        with transaction(engine) as connection:
            new |= _replace(connection, records, [r for r in rows if r["id"] not in new], timezone)
    return new


def _commit_rows(
    engine: Engine,
    records: Sequence[InspectionRecord],
    rows: Sequence[Mapping[str, Any]],
    stations: dict[Station, datetime],
    timezone: tzinfo,
) -> frozenset[UUID]:
    """On SQLite: one transaction, one statement a table."""
    with transaction(engine) as connection:
        register(connection, stations)
        new = _insert_new(connection, rows)
        kept = [record for record in records if record.id in new]
        _insert(connection, InspectionScore, kept, score_row)
        _insert(connection, InspectionScore, kept, shadow_row)
        _insert(connection, Feature, kept, feature_row)
        add_counts(connection, Counter(rollup_key(r, timezone) for r in rows if r["id"] in new))
        if len(new) < len(rows):
            new |= _replace(connection, records, [r for r in rows if r["id"] not in new], timezone)
    return new


def _replace(
    connection: Connection,
    records: Sequence[InspectionRecord],
    again: Sequence[Mapping[str, Any]],
    timezone: tzinfo,
) -> frozenset[UUID]:
    """Write those of `again` whose dead letters were sent again; returns their ids."""
    replaced = replace_rows(connection, again)
    if not replaced:
        return frozenset()
    counts = Counter(rollup_key(row, timezone) for row in again if row["id"] in replaced)
    counts.subtract(rollup_key(row, timezone) for row in replaced.values())
    kept = [record for record in records if record.id in replaced]
    _insert(connection, InspectionScore, kept, score_row)
    _insert(connection, InspectionScore, kept, shadow_row)
    _insert(connection, Feature, kept, feature_row)
    # Last: workers wait for each other on these few rows, so hold them for one round trip.
    add_counts(connection, counts)
    return frozenset(replaced)


def _insert_new(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> frozenset[UUID]:
    statement = insert_many_into(connection, _INSPECTIONS)
    statement = statement.on_conflict_do_nothing(index_elements=[_INSPECTIONS.c.id])
    added = connection.execute(statement.returning(_INSPECTIONS.c.id), many(connection, rows))
    return frozenset(added.scalars())


def _insert(
    connection: Connection,
    model: type[InspectionScore] | type[Feature],
    records: Sequence[InspectionRecord],
    row_of: Callable[[InspectionRecord], dict[str, Any] | None],
) -> None:
    rows = [row for row in map(row_of, records) if row is not None]
    if rows:
        table = table_of(model)
        statement = insert_many_into(connection, table).returning(table.c.inspection_id)
        connection.execute(statement, many(connection, rows))


def existing(engine: Engine, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Which of `ids` are stored."""
    id_ = _INSPECTIONS.c.id
    with reading(engine) as connection:
        return frozenset(
            found
            for chunk in _chunks(ids)
            for found in connection.execute(select(id_).where(id_.in_(chunk))).scalars()
        )


def outcomes(engine: Engine, ids: Iterable[UUID]) -> dict[UUID, Outcome]:
    """How those of `ids` that are stored ended, as the first commit said."""
    c = _INSPECTIONS.c
    query = select(
        c.id, c.verdict, c.defect_class, c.confidence, c.reason, c.model_version, c.decided_at
    )
    with reading(engine) as connection:
        return {
            row.id: Outcome(
                verdict=Verdict(row.verdict),
                defect_class=row.defect_class,
                confidence=row.confidence,
                reason=None if row.reason is None else Reason(row.reason),
                model_version=row.model_version,
                decided_at=row.decided_at,
            )
            for chunk in _chunks(ids)
            for row in connection.execute(query.where(c.id.in_(chunk)))
        }


def by_part(engine: Engine, serial: str) -> list[InspectionRecord]:
    """Every inspection of a part, oldest first: which model judged it, and how."""
    query = select(_INSPECTIONS).where(_INSPECTIONS.c.part == serial)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(_INSPECTIONS.c.decided_at, _INSPECTIONS.c.id))
        return [_record(row._asdict()) for row in rows]


def scores(engine: Engine, inspection_id: UUID) -> dict[str, dict[str, float | None]]:
    """`{model version: {class: probability}}` of a picture; None where it was not a number."""
    query = select(InspectionScore.model_version, InspectionScore.probabilities)
    with reading(engine) as connection:
        rows = connection.execute(query.where(InspectionScore.inspection_id == inspection_id))
        return {version: dict(probabilities) for version, probabilities in rows}


def _chunks(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    """Lists that a statement can bind."""
    all_ids = list(ids)
    for start in range(0, len(all_ids), 500):
        yield all_ids[start : start + 500]


def _record(row: dict[str, Any]) -> InspectionRecord:
    reason = row.pop("reason")
    return InspectionRecord(
        **{**row, "verdict": Verdict(row["verdict"])},
        reason=None if reason is None else Reason(reason),
    )

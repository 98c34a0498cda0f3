"""Inspections: committed once, however often they are delivered."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Text, bindparam, func, select
from sqlalchemy.dialects import sqlite

from db.base import table_of
from db.challenges.strays import alert_strays
from db.clock import database_now
from db.inspections.batch_insert import insert_batch, replace_batch
from db.inspections.hours import plant_hour
from db.inspections.records import InspectionRecord, Outcome, StoredFeatures
from db.inspections.requeues import replace_rows, replaceable
from db.inspections.rollup import add_counts, rollup_key
from db.inspections.rows import feature_row, inspection_row, shadow_row
from db.inspections.stations import Station, register, remember, unknown_stations
from db.inspections.unlike_maps import map_rows, store_maps
from db.outbox.append import append_pictures
from db.parts.purged import counted_before
from db.parts.settle import Serial, adopt, count_pictures, settle
from db.session import reading, transaction
from db.tables import Feature, Inspection, InspectionScore
from db.upsert import insert_many_into, many
from producer.contract import Purpose, Reason, Verdict
from quality.parts.parts import production_time

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
_INSERT = sqlite.insert(_INSPECTIONS)
_GIVEN = func.json_each(bindparam("ids", type_=Text)).table_valued("value")
_STORED = select(_INSPECTIONS.c.id).where(_INSPECTIONS.c.id.in_(select(_GIVEN.c.value)))


def commit_inspections(
    engine: Engine, records: Iterable[InspectionRecord], timezone: tzinfo
) -> frozenset[UUID]:
    """Store `records` in one transaction; returns the ids that were not there before.

    An id that is there already, or comes twice, changes nothing: neither its row, nor its scores,
    nor the counts. One whose dead letter was sent again replaces its row, once, and counts as new
    (see `db.inspections.requeues`). `timezone` is the plant's; it says in which hour a picture
    counts.

    Raises:
        sqlalchemy.exc.DBAPIError: the database is away or refused; nothing was stored.
    """
    # Sorted by id, or two workers with the same pictures in another order could deadlock.
    unique = {record.id: record for record in reversed(list(records))}
    ordered = [unique[id_] for id_ in sorted(unique)]
    if not ordered:
        return frozenset()
    rows = [inspection_row(record) for record in ordered]
    _alert_strays(engine, rows)
    stations = unknown_stations(engine, rows)
    if engine.dialect.name == "postgresql":
        new = _commit_batch(engine, ordered, rows, stations, timezone)
        if maps := map_rows(record for record in ordered if record.id in new):
            # Apart from that one statement: without its map a picture is shown without it.
            with transaction(engine) as connection:
                store_maps(connection, maps)
    else:
        new = _commit_rows(engine, ordered, rows, stations, timezone)
    remember(engine, stations)
    return new


def _alert_strays(engine: Engine, rows: Sequence[Mapping[str, Any]]) -> None:
    """Before the commit: a second delivery finds its pictures there, and says nothing more."""
    said = [row for row in rows if row["purpose"] == Purpose.CHALLENGE]
    if said:
        there = existing(engine, [row["id"] for row in said])
        with transaction(engine) as connection:
            alert_strays(connection, [row for row in said if row["id"] not in there])


def _commit_batch(
    engine: Engine,
    records: Sequence[InspectionRecord],
    rows: Sequence[Mapping[str, Any]],
    stations: dict[Station, datetime],
    timezone: tzinfo,
) -> frozenset[UUID]:
    """On PostgreSQL: one statement for what is new, another for the rare rest."""
    if stations:  # once in a station's life; without its pictures it harms nobody
        with transaction(engine) as connection:
            register(connection, stations)
    features = [feature_row(record) for record in records]
    vectors = [None if feature is None else feature["vector"] for feature in features]
    extras = [
        _extra(record, feature, timezone) for record, feature in zip(records, features, strict=True)
    ]
    new = insert_batch(engine, rows, extras, vectors)
    if len(new) < len(rows):
        dead = replaceable(engine, [row["id"] for row in rows if row["id"] not in new])
        again = [
            (row, {**extra, "old_hour": plant_hour(dead[row["id"]], timezone)}, vector)
            for row, extra, vector in zip(rows, extras, vectors, strict=True)
            if row["id"] in dead
        ]
        if again:
            new |= replace_batch(engine, *zip(*again, strict=True))
    return new


def _extra(
    record: InspectionRecord, feature: Mapping[str, Any] | None, timezone: tzinfo
) -> dict[str, Any]:
    """What is stored of a record in other tables than `inspections`, but its vector."""
    shadow = shadow_row(record)
    extra: dict[str, Any] = {"hour": plant_hour(record.decided_at, timezone)}
    if shadow is not None:
        extra["shadow_version"] = shadow["model_version"]
        for name in ("probabilities", "verdict", "reason"):
            extra[f"shadow_{name}"] = shadow[name]
    extra["fingerprint"] = None if feature is None else feature["fingerprint"]
    return extra


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
        rows = _with_production_time(rows, database_now(connection))
        new = _insert_new(connection, rows)
        kept = [record for record in records if record.id in new]
        _insert(connection, InspectionScore, kept, shadow_row)
        _insert(connection, Feature, kept, feature_row)
        store_maps(connection, map_rows(kept))
        fresh = new - counted_before(connection, new)
        add_counts(connection, Counter(rollup_key(r, timezone) for r in rows if r["id"] in fresh))
        serials, singles = _parts_of([row for row in rows if row["id"] in new])
        settle(connection, serials)
        count_pictures(connection, [id_ for id_ in singles if id_ in fresh])
        if len(new) < len(rows):
            new |= _replace(connection, records, [r for r in rows if r["id"] not in new], timezone)
        append_pictures(connection, new)
    return new


def _replace(
    connection: Connection,
    records: Sequence[InspectionRecord],
    again: Sequence[Mapping[str, Any]],
    timezone: tzinfo,
) -> frozenset[UUID]:
    """Write those of `again` whose dead letters were sent again; returns their ids."""
    adopt(connection, _parts_of(again)[1])
    replaced = replace_rows(connection, again)
    if not replaced:
        return frozenset()
    counts = Counter(rollup_key(row, timezone) for row in again if row["id"] in replaced)
    counts.subtract(rollup_key(row, timezone) for row in replaced.values())
    kept = [record for record in records if record.id in replaced]
    _insert(connection, InspectionScore, kept, shadow_row)
    _put_features(connection, kept)
    store_maps(connection, map_rows(kept))
    # Last: workers wait for each other on these few rows, so hold them for one round trip.
    add_counts(connection, counts)
    settle(connection, *_parts_of(list(replaced.values())))
    return frozenset(replaced)


def _with_production_time(
    rows: Sequence[Mapping[str, Any]], received_at: datetime
) -> list[dict[str, Any]]:
    """The rows with when they count; PostgreSQL's function does it by its own clock."""
    found = []
    for row in rows:
        made_at, by_receipt = production_time(row["captured_at"], received_at)
        found.append({**row, "made_at": made_at, "by_receipt": by_receipt})
    return found


def _parts_of(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Serial], list[UUID]]:
    """The serial numbers of these inspections, and those that have none."""
    serials = [Serial(row["product"] or "", row["part"]) for row in rows if row["part"]]
    return serials, [row["id"] for row in rows if not row["part"]]


def _insert_new(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> frozenset[UUID]:
    """Insert those that are not there, which nobody else can do meanwhile; returns their ids."""
    given = json.dumps([row["id"].hex for row in rows])
    there = frozenset(connection.execute(_STORED, {"ids": given}).scalars())
    new = [row for row in rows if row["id"] not in there]
    if new:
        connection.execute(_INSERT, new)
    return frozenset(row["id"] for row in new)


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


def _put_features(connection: Connection, records: Sequence[InspectionRecord]) -> None:
    """Features of dead letters that are judged: a person may have labelled one before, and an idle
    worker made its features for that.
    """
    rows = [row for row in map(feature_row, records) if row is not None]
    if rows:
        insert = sqlite.insert(table_of(Feature))
        new = {name: insert.excluded[name] for name in ("vector", "created_at")}
        keys = ["inspection_id", "fingerprint"]
        connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=new), rows)


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
        return [record_of(row._asdict()) for row in rows]


def scores(engine: Engine, inspection_id: UUID) -> dict[str, dict[str, float | None]]:
    """`{model version: {class: probability}}` of a picture; None where it was not a number.

    Of the shadow that looked on. The champion's first choice is in the inspection; before 0.2.0 all
    of its probabilities were kept too.
    """
    query = select(InspectionScore.model_version, InspectionScore.probabilities)
    with reading(engine) as connection:
        rows = connection.execute(query.where(InspectionScore.inspection_id == inspection_id))
        return {version: dict(probabilities) for version, probabilities in rows}


def _chunks(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    """Lists that a statement can bind."""
    all_ids = list(ids)
    for start in range(0, len(all_ids), 500):
        yield all_ids[start : start + 500]


def record_of(row: dict[str, Any]) -> InspectionRecord:
    """A row of the table as the record that it was made of; takes the row apart."""
    reason = row.pop("reason")
    for name in ("made_at", "by_receipt"):  # the database's own
        del row[name]
    return InspectionRecord(
        **{**row, "verdict": Verdict(row["verdict"])},
        reason=None if reason is None else Reason(reason),
    )

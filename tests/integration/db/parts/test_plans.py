"""Plans are kept for days: those made while there was nothing must do when there is much.

Each thing that changes parts is done by a session that planned it on empty tables, and what that
reads is counted by the server's statistics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, insert, text, update

from db.inspections import requeues
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.labels import decisions
from db.labels.decisions import NewDecision
from db.labels.labels import NewLabel, add_labels
from db.session import dispose, engine_for, transaction
from db.tables import AuditShare, DeadLetter
from producer.contract import Reason, Verdict
from tests.support.part_facts import DAY, PRODUCT, a_plant
from tests.support.plans import plans_of
from tests.support.records import a_record

_PARTS = 16  # a batch
_COPIES = 100  # of all that a batch left
_ROWS = 100  # or entries of indexes, that a batch may read for each part
_RESETTLE = text("SELECT linewatch_resettle(:products, :serials, :pictures)")
_ROWS_READ = text(
    "SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = ANY (:tables))"
    " + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = ANY (:tables))"
)
_COPIED = {  # table: what is other in a copy, of the row `t` and number `n`
    "inspections": {"id": "gen_random_uuid()", "part": "n || t.part"},
    "parts": {
        "serial": "CASE t.serial WHEN '' THEN '' ELSE n || t.serial END",
        "scope": "CASE t.serial WHEN '' THEN gen_random_uuid()::text ELSE t.scope END",
    },
    "decisions": {"id": "nextval('decisions_id_seq')", "part": "n || t.part"},
    "labels": {"id": "nextval('labels_id_seq')"},
    "audit_sample": {
        "id": "gen_random_uuid()",
        "serial": "CASE t.serial WHEN '' THEN '' ELSE n || t.serial END",
        "scope": "CASE t.serial WHEN '' THEN gen_random_uuid()::text ELSE t.scope END",
    },
}


def test_sessions_that_began_on_empty_tables_look_up_and_do_not_read_through(
    postgresql_url: str,
) -> None:
    _a_plant_with_an_audit_sample(postgresql_url)
    began_empty = engine_for(postgresql_url)
    for _, deed in _deeds(began_empty, "first"):
        deed()
    _many_more(postgresql_url)
    read = {}
    for name, deed in _deeds(began_empty, "later"):
        before = _rows_read(began_empty)
        deed()
        read[name] = _rows_read(began_empty) - before
    assert {name: n for name, n in read.items() if n > _PARTS * _ROWS} == {}


def test_sqlite_looks_up_and_does_not_read_through(sqlite_url: str) -> None:
    engine = engine_for(sqlite_url)
    _a_plant_with_an_audit_sample(sqlite_url)
    large = tuple(f"SCAN {table}" for table in (*_COPIED, "purged_views"))
    read_through = {}
    for name, deed in _deeds(engine, "any"):
        if name != "recounted":  # of all there is
            lines = [line.strip() for plan in plans_of(engine, deed) for line in plan.splitlines()]
            read_through[name] = [line for line in lines if line.startswith(large)]
    assert read_through == {name: [] for name in read_through}


def _deeds(engine: Engine, name: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """All that changes parts."""
    serials = [f"{name}-{n}" for n in range(_PARTS)]
    first = [_picture(part=serial) for serial in serials]
    side = [_picture(part=serial, camera="side") for serial in serials]
    later = DAY + timedelta(days=1)
    again = [_picture(part=serial, captured_at=later) for serial in serials]
    singles = [_picture(part=None) for _ in serials]
    dead = [
        _picture(
            part=f"dead-{serial}" if n % 2 else None,
            verdict=Verdict.DEAD_LETTER,
            reason=Reason.POISON,
        )
        for n, serial in enumerate(serials)
    ]
    judged = [replace(one, verdict=Verdict.PASS, reason=None) for one in dead]
    views = (("new", first), ("second views", side), ("second passes", again), ("single", singles))
    for what, records in views:
        yield what, partial(commit_inspections, engine, records, UTC)
    yield "delivered again", partial(commit_inspections, engine, first, UTC)
    yield "labels", partial(_label, engine, first)
    yield "labels of single pictures", partial(_label, engine, singles)
    yield "decisions", partial(_decide, engine, serials)
    yield "dead letters", partial(commit_inspections, engine, dead, UTC)
    yield "sent again", partial(_send_again, engine, dead)
    yield "replaced", partial(commit_inspections, engine, judged, UTC)
    yield "recounted", partial(_recount, engine, serials, singles)


def _picture(**fields: object) -> InspectionRecord:
    usual = {"product": PRODUCT, "defect_class": "ok", "captured_at": DAY, "id": uuid4()}
    return a_record(**{**usual, **fields})


def _label(engine: Engine, records: list[InspectionRecord]) -> None:
    with transaction(engine) as connection:
        add_labels(connection, [NewLabel(record.id, "bent", "ann") for record in records])


def _decide(engine: Engine, serials: list[str]) -> None:
    with transaction(engine) as connection:
        decisions.add(connection, [NewDecision(PRODUCT, one, "bent", "ann") for one in serials])


def _send_again(engine: Engine, records: list[InspectionRecord]) -> None:
    with transaction(engine) as connection:
        requeues.allow(connection, 1, [record.id for record in records], by="ann")


def _recount(engine: Engine, serials: list[str], singles: list[InspectionRecord]) -> None:
    words = {"products": [PRODUCT] * len(serials), "serials": serials}
    with transaction(engine) as connection:
        connection.execute(_RESETTLE, {**words, "pictures": [one.id for one in singles]}).all()


def _a_plant_with_an_audit_sample(url: str) -> None:
    engine = engine_for(url)
    a_plant(engine, audit_share=0.5)
    with transaction(engine) as connection:
        connection.execute(update(AuditShare).values(since=DAY - timedelta(days=60)))
        letter = {"reason": "x", "detail": "", "payload": "", "digest": "", "size": 1}
        connection.execute(insert(DeadLetter), {**letter, "id": 1, "received_at": DAY})
    dispose()  # whoever comes next plans anew


def _many_more(url: str) -> None:
    """In another session, so that who planned already hears nothing of it."""
    engine = engine_for(f"{url}?application_name=another")
    with transaction(engine) as connection:
        for table, others in _COPIED.items():
            _copy(connection, table, others)
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    engine.dispose()


def _copy(connection: Connection, table: str, others: dict[str, str]) -> None:
    named = connection.exec_driver_sql(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
        " AND NOT attisdropped",
        (table,),
    )
    columns = list(named.scalars())
    given = ", ".join(others.get(name, f"t.{name}") for name in columns)
    connection.exec_driver_sql(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {given}"
        f" FROM {table} AS t, generate_series(1, {_COPIES}) AS n"
    )


def _rows_read(engine: Engine) -> int:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if (connection.dialect.server_version_info or (0,)) < (15,):
            pytest.skip("this server's statistics cannot be asked for at once")
        connection.exec_driver_sql("SELECT pg_stat_force_next_flush()")
    with engine.connect() as connection:
        return int(connection.execute(_ROWS_READ, {"tables": list(_COPIED)}).scalar_one())

"""PostgreSQL roles: what inspect workers, maintenance, people's commands and reports may do.

The migrating user owns the tables; nobody else may alter or drop them, or write the audit log. What
a role must do but may not do freely it does by calling a function, see `db.functions`. Rights to
UPDATE are given by the column: on a whole table they would be rights to LOCK it, and others would
wait. Login users are made by whoever runs PostgreSQL, `IN ROLE linewatch_worker` and so on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, text

from db.functions import CURRENT as FUNCTIONS
from db.locks import lock_schema
from db.role_limits import LIMITS, limit_members, take_from_public
from db.schema import metadata
from db.session import reading, transaction
from db.views import CURRENT
from linewatch.errors import DatabaseError

PREFIX = "linewatch"
WORKER, MAINTENANCE, CONSOLE, REPORTS = "worker", "maintenance", "console", "reports"
ROLES = (WORKER, MAINTENANCE, CONSOLE, REPORTS)
_WORDS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}

# Table: what workers, maintenance and the console may do. Reports: see `REPORTED`.
RIGHTS: dict[str, tuple[str, str, str]] = {
    "alembic_version": ("S", "S", "S"),
    "alert_notices": ("", "SIUD", "S"),
    "alerts": ("SIU", "SIU", "SIU"),  # who ends a challenge says what was missed
    "audit_answers": ("", "S", "SI"),
    "audit_log": ("S", "S", "S"),
    "audit_sample": ("", "S", "S"),
    "audit_seeds": ("", "", ""),  # who knows a seed knows which parts nobody looks at
    "audit_shares": ("", "S", "SI"),
    "cameras": ("SI", "S", "S"),
    "challenge_parts": ("SU", "S", "SIU"),  # a worker ends those whose time is over
    "challenges": ("SU", "S", "SIU"),
    "chart_baselines": ("", "S", "SI"),
    "chart_reactions": ("", "", "SI"),
    "chart_signals": ("", "SI", "S"),
    "class_metrics": ("SI", "SI", "S"),
    "confusion_cells": ("SI", "SI", "S"),
    "console_keys": ("", "S", "SIU"),
    "console_links": ("", "SD", "SIU"),
    "console_sessions": ("", "SD", "SIU"),
    "console_users": ("", "S", "SIU"),
    "dead_letters": ("SIU", "SIU", "SUD"),
    "decisions": ("S", "S", "SI"),
    "defect_classes": ("S", "S", "SID"),
    "deployments": ("S", "S", "SI"),
    "drift_baselines": ("SIU", "S", "SD"),
    "feature_copies": ("SI", "S", "S"),
    "feature_spaces": ("SI", "SI", "SI"),  # the console makes zero-shot models
    "features": ("SI", "SID", "S"),
    "gate_decisions": ("SI", "SI", "SI"),
    "golden_items": ("S", "S", "SID"),
    "golden_sets": ("S", "S", "SID"),
    "inspection_hourly": ("S", "SD", "S"),
    "inspection_scores": ("S", "SD", "S"),
    "inspections": ("S", "SUD", "S"),  # U: a purge locks what it is about to delete
    "labelled_pictures": ("", "SD", "S"),
    "labels": ("S", "S", "SI"),
    "leases": ("", "SIU", "S"),
    "lines": ("SI", "S", "SIU"),
    "locks": ("", "", ""),
    "model_versions": ("SI", "SI", "SI"),
    "outbox": ("S", "SD", "S"),
    "outbox_cursors": ("SIU", "SD", "SIUD"),  # who pauses, replays or forgets a receiver
    "outbox_lines": ("SI", "S", "SD"),
    "outbox_parts": ("SIU", "SD", "SD"),
    "part_backfill": ("", "S", "S"),
    "part_counts": ("", "SD", "S"),
    "part_shift_counts": ("", "SD", "S"),
    "parts": ("S", "SD", "S"),  # the outputs have a worker's rights
    "patch_tokens": ("SI", "S", "S"),
    "picture_hours": ("", "S", "S"),
    "precision_agreements": ("SIU", "SIU", "S"),
    "products": ("S", "S", "SIU"),
    "purged_singles": ("", "SID", "S"),
    "purged_views": ("", "SID", "S"),
    "requeues": ("S", "S", "SIU"),
    "retention_marks": ("S", "SIU", "S"),
    "shift_calendars": ("S", "S", "SID"),
    "shift_spans": ("S", "SID", "SID"),
    "shifts": ("S", "S", "SID"),
    "suspects": ("SIU", "SIU", "SD"),
    "training_runs": ("SIU", "SIU", "S"),
    "worker_sightings": ("", "SIUD", "S"),
    "unlike_maps": ("SI", "SD", "S"),
}
# The tables that reports may read beside the views: what `linewatch report` counts from.
REPORTED = (
    *("alembic_version", "audit_answers", "audit_sample", "audit_shares", "cameras"),
    *("challenge_parts", "challenges", "chart_baselines", "chart_reactions", "chart_signals"),
    *("decisions", "defect_classes", "deployments", "golden_items", "golden_sets"),
    *("inspection_hourly", "inspection_scores", "inspections", "labelled_pictures", "labels"),
    *("lines", "model_versions"),
    *("part_backfill", "part_counts", "part_shift_counts", "parts", "picture_hours", "products"),
    *("purged_views", "retention_marks", "shift_spans", "shifts", "training_runs"),
)
# The only columns of these that anybody may update; of others, all that are no key.
COLUMNS: dict[str, tuple[str, ...]] = {
    "challenge_parts": ("pictures", "disposition", "classes", "found"),
    "challenges": ("ended_at", "ended_by", "verified"),
    "console_keys": ("revoked_at", "used_at"),
    "console_links": ("used_at",),
    "console_sessions": ("revoked_at", "confirmed_at"),
    "console_users": ("role", "password_hash", "disabled_at", "subject"),
    "dead_letters": (
        *("received_at", "reason", "detail", "requeued_at"),
        *("addressed_at", "addressed_by", "note"),
    ),
    "inspections": ("worker",),  # a right to one column is enough to lock a row
}
# Function: who may call it. Those that are not here are called by others alone.
CALLS: dict[str, tuple[str, ...]] = {
    "linewatch_acquit": (WORKER, MAINTENANCE),
    "linewatch_add_month": (MAINTENANCE,),
    "linewatch_analyse": (MAINTENANCE,),
    "linewatch_append": (WORKER, CONSOLE),
    "linewatch_audit": (WORKER, MAINTENANCE, CONSOLE),
    "linewatch_backfill": (MAINTENANCE, CONSOLE),
    "linewatch_commit": (WORKER,),
    "linewatch_drop_month": (MAINTENANCE,),
    "linewatch_keep_labelled": (MAINTENANCE,),
    "linewatch_lock": (CONSOLE,),
    "linewatch_move_shifts": (MAINTENANCE, CONSOLE),
    "linewatch_pieces": (MAINTENANCE,),
    "linewatch_recount": (MAINTENANCE,),
    "linewatch_recount_shifts": (MAINTENANCE,),
    "linewatch_replace": (WORKER,),
    "linewatch_resettle": (MAINTENANCE,),
    "linewatch_roll_hours": (MAINTENANCE,),
    "linewatch_seed": (CONSOLE,),
    "linewatch_settle": (WORKER, CONSOLE),
    "linewatch_suspects": (MAINTENANCE,),
    "linewatch_unproven": (MAINTENANCE,),
}


def statements(prefix: str = PREFIX) -> Iterator[str]:
    """The SQL that makes the roles and gives them exactly these rights; harmless to repeat."""
    names = {role: f"{prefix}_{role}" for role in ROLES}
    for name in names.values():
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') "
            f"THEN CREATE ROLE {name} NOLOGIN; END IF; END $$"
        )
    everyone = ", ".join(names.values())
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    for kind in ("TABLES", "SEQUENCES"):
        yield f"REVOKE ALL ON ALL {kind} IN SCHEMA public FROM PUBLIC, {everyone}"
    for function in FUNCTIONS:
        yield f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC, {everyone}"
    yield f"GRANT USAGE ON SCHEMA public TO {everyone}"
    for table, rights in RIGHTS.items():
        for role, letters in zip(ROLES[:3], rights, strict=True):
            yield from _grants(table, letters, names[role])
    for table in REPORTED:
        yield from _grants(table, "S", names[REPORTS])
    for view in CURRENT:
        yield f"GRANT SELECT ON {view} TO {everyone}"
    for function in FUNCTIONS:
        if callers := ", ".join(names[role] for role in CALLS.get(function, ())):
            yield f"GRANT EXECUTE ON FUNCTION {function} TO {callers}"
    yield from take_from_public()
    yield from limits(prefix)


def limits(prefix: str = PREFIX) -> Iterator[str]:
    """The SQL that gives the users of each role their timeouts; again after a user was made."""
    for role in LIMITS:
        yield limit_members(role, f"{prefix}_{role}")


def _grants(table: str, letters: str, name: str) -> Iterator[str]:
    words = []
    for letter in letters:
        columns = f" ({', '.join(_updatable(table))})" if letter == "U" else ""
        words.append(f"{_WORDS[letter]}{columns}")
    if words:
        yield f"GRANT {', '.join(words)} ON {table} TO {name}"
    # Only who inserts rows needs their numbers.
    described = metadata.tables.get(table)
    if "I" in letters and described is not None and described.autoincrement_column is not None:
        yield f"GRANT USAGE ON SEQUENCE {table}_{described.autoincrement_column.name}_seq TO {name}"


def _updatable(table: str) -> tuple[str, ...]:
    keys = metadata.tables[table].primary_key.columns
    every = metadata.tables[table].columns
    return COLUMNS.get(table) or tuple(c.name for c in every if c.name not in keys)


def apply(engine: Engine, prefix: str = PREFIX) -> list[str]:
    """Run the statements, all or none. Needs the tables' owner with CREATEROLE, or a superuser.

    Returns:
        What this user may not do and a superuser could, in the server's words.

    Raises:
        DatabaseError: the database is SQLite, which has no roles.
    """
    if engine.dialect.name != "postgresql":
        raise DatabaseError("SQLite has no roles: who may open the file may do everything")
    with transaction(engine) as connection:
        with warnings_of(connection) as left_undone:
            lock_schema(connection)
            for statement in statements(prefix):
                connection.execute(text(statement))
        return left_undone


def given(engine: Engine) -> bool:
    """Whether roles, of whatever name, have rights in this database: those of its last `apply`."""
    if engine.dialect.name != "postgresql":
        return False
    with reading(engine) as connection:
        return bool(connection.scalar(text(_GIVEN)))


_GIVEN = """
    SELECT EXISTS (
        SELECT FROM pg_class, aclexplode(relacl) AS entry
        WHERE oid = to_regclass('alembic_version') AND entry.grantee NOT IN (relowner, 0)
    )
"""


@contextmanager
def warnings_of(connection: Connection) -> Iterator[list[str]]:
    """Collect what the server warns of meanwhile."""
    found: list[str] = []

    def note(diagnostic: Any) -> None:
        if diagnostic.severity_nonlocalized == "WARNING":
            found.append(str(diagnostic.message_primary))

    driver: Any = connection.connection.driver_connection
    driver.add_notice_handler(note)
    try:
        yield found
    finally:
        driver.remove_notice_handler(note)

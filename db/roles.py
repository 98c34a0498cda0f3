"""PostgreSQL roles: what workers, the console with people's commands, and reports may do.

The migrating user owns the tables; nobody else may alter or drop them, or change the audit log.
No trigger guards the log beside that: only the owner gets past the rights, and could drop it too.
Login users are made by whoever runs PostgreSQL, `IN ROLE linewatch_worker` and so on.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Engine, text

from db.session import transaction
from db.views import CURRENT
from linewatch.errors import DatabaseError

PREFIX = "linewatch"
WORKER, CONSOLE, REPORTS = "worker", "console", "reports"
_WORDS = {"S": "SELECT", "I": "INSERT", "U": "UPDATE", "D": "DELETE"}

# Table: what workers may do, what the console may do.
RIGHTS: dict[str, tuple[str, str]] = {
    "alembic_version": ("S", "S"),
    "alerts": ("SIU", "SU"),
    "audit_log": ("SI", "SI"),
    "cameras": ("SI", "S"),
    "class_metrics": ("SI", "S"),
    "confusion_cells": ("SI", "S"),
    "dead_letters": ("SIU", "SUD"),
    "defect_classes": ("S", "SID"),
    "deployments": ("S", "SI"),
    "drift_baselines": ("SI", "SD"),
    "feature_spaces": ("SI", "SI"),  # the console makes zero-shot models
    "features": ("SID", "S"),
    "gate_decisions": ("SI", "SI"),
    "golden_items": ("S", "SID"),
    "golden_sets": ("S", "SID"),
    "inspection_hourly": ("SIUD", "S"),
    "inspection_scores": ("SID", "S"),
    "inspections": ("SIUD", "S"),  # U: a requeued dead letter; D: retention
    "labels": ("S", "SI"),
    "lines": ("SI", "SIU"),
    "model_versions": ("SI", "SI"),
    "precision_agreements": ("SIU", "S"),
    "products": ("S", "SIU"),
    "requeues": ("SUD", "SIU"),
    "retention_marks": ("SIU", "S"),
    "shifts": ("S", "SID"),
    "suspects": ("SIUD", "SD"),
    "training_runs": ("SIU", "S"),
}


def statements(prefix: str = PREFIX) -> Iterator[str]:
    """The SQL that makes the roles and gives them exactly these rights; harmless to repeat."""
    names = [f"{prefix}_{role}" for role in (WORKER, CONSOLE, REPORTS)]
    for name in names:
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') "
            f"THEN CREATE ROLE {name} NOLOGIN; END IF; END $$"
        )
    everyone = ", ".join(names)
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {everyone}"
    yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, {everyone}"
    yield f"GRANT USAGE ON SCHEMA public TO {everyone}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {names[0]}, {names[1]}"
    for table, rights in RIGHTS.items():
        for name, letters in zip(names, rights, strict=False):
            words = ", ".join(_WORDS[letter] for letter in letters)
            yield f"GRANT {words} ON {table} TO {name}"
    for view in CURRENT:
        yield f"GRANT SELECT ON {view} TO {everyone}"


def apply(engine: Engine, prefix: str = PREFIX) -> None:
    """Run the statements, all or none. Needs the tables' owner with CREATEROLE, or a superuser.

    Raises:
        DatabaseError: the database is SQLite, which has no roles.
    """
    if engine.dialect.name != "postgresql":
        raise DatabaseError("SQLite has no roles: who may open the file may do everything")
    with transaction(engine) as connection:
        for statement in statements(prefix):
            connection.execute(text(statement))

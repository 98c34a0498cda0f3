"""PostgreSQL functions that do for a role what it has no right to do by itself.

Each runs with its owner's rights (SECURITY DEFINER) and does one thing that its caller may do; who
may call it, `db.roles` says. A function's text is a file of its own and version, as of the views:
migrations create the version they were written for, and `CURRENT` names the newest. SQLite has no
functions and no roles: there, the same is done in Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files

from sqlalchemy import DDL, Connection, event

from db.base import Base

# Those whose body PostgreSQL reads when it makes them, so it cannot mean other things later; what
# calls them has their text in its plans, and no call.
_BOUND = {
    *("linewatch_rank", "linewatch_made_at", "linewatch_slice_of", "linewatch_slice"),
    *("linewatch_counted", "linewatch_mix"),
}
# Each after those that it calls.
CURRENT = {
    "linewatch_lock": 1,
    "linewatch_may_say": 1,
    "linewatch_audit": 1,
    "linewatch_refuse_unknown": 1,
    "linewatch_hours": 1,
    "linewatch_rank": 1,
    "linewatch_made_at": 1,
    "linewatch_slice_of": 1,
    "linewatch_slice": 1,
    "linewatch_counted": 1,
    "linewatch_add_counts": 1,
    "linewatch_picture_counts": 1,
    "linewatch_adopt": 1,
    "linewatch_plain_parts": 1,
    "linewatch_hmac_pad": 1,
    "linewatch_seed": 1,
    "linewatch_challenged": 1,
    "linewatch_keep_labelled": 1,
    "linewatch_settle_facts": 1,
    "linewatch_draw": 1,
    "linewatch_draw_parts": 1,
    "linewatch_hold": 1,
    "linewatch_settle": 1,
    "linewatch_move_shifts": 1,
    "linewatch_append": 1,
    "linewatch_outbox": 1,
    "linewatch_commit": 1,
    "linewatch_replace": 1,
    "linewatch_backfill": 1,
    "linewatch_first_id": 1,
    "linewatch_mix": 1,
    "linewatch_pieces": 1,
    "linewatch_suspects": 1,
    "linewatch_unproven": 1,
    "linewatch_rows_of": 1,
    "linewatch_resettle": 1,
    "linewatch_recount": 1,
    "linewatch_recount_shifts": 1,
    "linewatch_hour_changed": 1,
    "linewatch_roll_hours": 1,
    "linewatch_acquit": 1,
    "linewatch_analyse": 1,
    "linewatch_add_month": 1,
    "linewatch_drop_month": 1,
}
# A function that PostgreSQL itself calls, and when.
_TRIGGERS = {
    "linewatch_hour_changed": (
        "CREATE TRIGGER picture_hours AFTER INSERT OR UPDATE ON inspection_hourly FOR EACH ROW"
        " WHEN (NEW.hour < now() - interval '2 days') EXECUTE FUNCTION linewatch_hour_changed()",
        "CREATE TRIGGER picture_hours_purged AFTER DELETE ON inspection_hourly FOR EACH ROW"
        " WHEN (OLD.hour < now() - interval '2 days') EXECUTE FUNCTION linewatch_hour_changed()",
    ),
}


def create_function(name: str, version: int) -> Iterator[str]:
    """The statements that create a version of a function, which nobody but its owner may call.

    It finds its tables where they were when it was made, whatever its caller's search path: or
    who calls it could give it tables and operators of his own.
    """
    yield files("db.functions").joinpath(f"{name}_v{version}.sql").read_text(encoding="utf-8")
    if name not in _BOUND:
        yield (
            f"DO $$ BEGIN EXECUTE 'ALTER FUNCTION {name} SET search_path = '"
            " || quote_ident(current_schema()) || ', pg_temp'; END $$"
        )
    yield f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC"
    yield from _TRIGGERS.get(name, ())


def create_functions(connection: Connection, names: Sequence[str], version: int = 1) -> None:
    """Create functions in one version where they exist: on PostgreSQL."""
    if connection.dialect.name == "postgresql":
        for name in names:
            for statement in create_function(name, version):
                connection.exec_driver_sql(statement)


def drop_functions(connection: Connection, names: Sequence[str]) -> None:
    """Drop what `create_functions` created."""
    if connection.dialect.name == "postgresql":
        for name in reversed(names):
            connection.exec_driver_sql(drop_function(name))


def drop_function(name: str) -> str:
    """The statement that drops a function, and what calls it by itself."""
    return f"DROP FUNCTION IF EXISTS {name}{' CASCADE' if name in _TRIGGERS else ''}"


def _listen() -> None:
    """So that create_all() and drop_all() see the functions too."""
    for name, version in CURRENT.items():
        for statement in create_function(name, version):
            create = DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]
            event.listen(Base.metadata, "after_create", create.execute_if(dialect="postgresql"))
    for name in reversed(CURRENT):
        drop = DDL(drop_function(name))  # type: ignore[no-untyped-call]
        event.listen(Base.metadata, "before_drop", drop.execute_if(dialect="postgresql"))


_listen()

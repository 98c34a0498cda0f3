"""What one role could do to all others by holding on to it, and the limits against that.

PostgreSQL lets everybody who may connect take advisory locks, make temporary tables, and fill the
disk with large objects and log records; Linewatch uses none of these. Timeouts belong to users, not
to the roles that they are in, so they are set for a role's members. A user may lift a timeout of
its own session (PostgreSQL has no right against that), so nobody waits for an unprivileged role in
the first place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Limits(NamedTuple):
    """How long a user of a role may take, in seconds, and how many sessions it may have."""

    statement_s: int
    lock_s: int
    idle_in_transaction_s: int
    connections: int | None = None


# In order of patience: the last one holds for a user of several roles. A worker's longest statement
# reads a product's training set; maintenance drops months.
LIMITS = {
    "reports": Limits(300, 5, 60, connections=20),
    "worker": Limits(600, 30, 60),
    "console": Limits(1800, 30, 60),
    "maintenance": Limits(3600, 30, 60),
}
_FAMILIES = ("^lo_", "^lowrite$", "^loread$", "^pg_(try_)?advisory_", "^pg_logical_emit_message$")


def take_from_public() -> Iterator[str]:
    """The statements that take from everybody what everybody has by default in this database.

    What the one who runs them may not take (functions are the superuser's) raises a warning there,
    and stays.
    """
    yield (
        "DO $$ BEGIN EXECUTE 'REVOKE TEMPORARY, CREATE ON DATABASE ' "
        "|| quote_ident(current_database()) || ' FROM PUBLIC'; END $$"
    )
    family = "|".join(_FAMILIES)
    yield (
        "DO $$ DECLARE one regprocedure; BEGIN "  # noqa: S608 - nothing but our own words
        "IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN RAISE WARNING "
        "'advisory locks and large objects stay everybody''s: let a superuser run this'; RETURN; "
        "END IF; FOR one IN SELECT oid FROM pg_proc "
        f"WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '{family}' "
        "LOOP EXECUTE 'REVOKE EXECUTE ON FUNCTION pg_catalog.' || one || ' FROM PUBLIC'; "
        "END LOOP; END $$"
    )


def limit_members(role: str, name: str) -> str:
    """The statement that sets the timeouts of a role's users in this database.

    A superuser and the tables' owner have none: migrations take their time.
    """
    limits = LIMITS[role]
    values = {
        "statement_timeout": limits.statement_s,
        "lock_timeout": limits.lock_s,
        "idle_in_transaction_session_timeout": limits.idle_in_transaction_s,
    }
    base = "'ALTER ROLE ' || quote_ident(one.rolname)"
    place = "' IN DATABASE ' || quote_ident(current_database())"
    sets = " ".join(
        f"EXECUTE {base} || {place} || ' SET {setting} = ''{value}s''';"
        for setting, value in values.items()
    )
    if limits.connections is not None:
        sets += (
            f" IF one.rolconnlimit = -1 THEN EXECUTE {base} || "
            f"' CONNECTION LIMIT {limits.connections}'; END IF;"
        )
    owner = "(SELECT relowner FROM pg_class WHERE oid = to_regclass('alembic_version'))"
    return (
        "DO $$ DECLARE one record; BEGIN "  # noqa: S608 - as above
        "FOR one IN SELECT rolname, rolconnlimit FROM pg_roles "
        f"WHERE rolcanlogin AND NOT rolsuper AND pg_has_role(rolname, '{name}', 'MEMBER') "
        f"AND NOT pg_has_role(rolname, {owner}, 'MEMBER') "
        f"LOOP BEGIN {sets} EXCEPTION WHEN insufficient_privilege THEN RAISE WARNING "
        "'the timeouts of % are not set: this user may not alter it', one.rolname; "
        "END; END LOOP; END $$"
    )

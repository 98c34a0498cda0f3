"""Tells a database that is away, or lets nobody write for now, from one that refuses a row.

What waiting mends is told by the state of the connection and by SQLSTATE, never by words:
PostgreSQL's messages come in the language of its server.
"""

from __future__ import annotations

from sqlalchemy import exc

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_LOST_CLASS = "40"  # a deadlock, a transaction that lost against another
_AWAY_CLASSES = (
    "08",  # the connection
    "28",  # may not log in: a password that is being changed, pg_hba.conf
    "3D",  # no such database: it is being restored
    _LOST_CLASS,
    "53",  # no room on the disk, no memory, too many connections
    "57",  # shut down, starting, cancelled
    "58",  # its operating system failed it
)
_DISCARD = frozenset(
    {
        "25006",  # read-only: this server, or this session, was a standby when it was connected to
        "25P03",  # ended for having been idle in a transaction
        "25P04",  # ended for the length of its transaction
        "26000",  # no such prepared statement: a pooler gave us another session
        "42P05",  # prepared already: the same
    }
)
_AWAY = frozenset({"55P03", "55006"}) | _DISCARD  # a lock, an object in use
_DENIED = "42501"
# Rights, tables and columns that are missing: no row is to blame, and a person mends it.
_MISCONFIGURED = frozenset({_DENIED, "42P01", "42703", "42704", "42883", "42P10", "3F000"})
# Functions of the server that answer so about a row: a trigger's RAISE, a row-level policy.
_ABOUT_A_ROW = frozenset({"exec_stmt_raise", "ExecWithCheckOptions"})
_ENDED_CLASS = "57P"  # the server shuts down, or ends sessions
_UNSAID = (exc.OperationalError, exc.InterfaceError, exc.InternalError)  # a driver's, no SQLSTATE
_LONGEST = 300  # characters of a server's message


def sqlstate(error: BaseException | None) -> str | None:
    """The SQLSTATE of a driver's error, or of SQLAlchemy's around it; None if it has none."""
    state = getattr(getattr(error, "orig", error), "sqlstate", None)
    return state if isinstance(state, str) else None


def denied(error: BaseException | None) -> bool:
    """Whether the database's user has no right to what was asked."""
    return sqlstate(error) == _DENIED


def misconfigured(error: BaseException) -> bool:
    """Whether the statement itself may not run, or finds no table: any row would be refused."""
    if sqlstate(error) not in _MISCONFIGURED:
        return False
    diagnostics = getattr(getattr(error, "orig", error), "diag", None)
    refused_by = getattr(diagnostics, "source_function", None)
    return refused_by is not None and refused_by not in _ABOUT_A_ROW


def away(error: BaseException) -> bool:
    """Whether waiting can mend it: the database is away, busy, full, or lets nobody write.

    That somebody forgot a grant or a migration counts as well: see `misconfigured`.

    False: it refuses what it was given, and would refuse it again.
    """
    if isinstance(error, exc.TimeoutError):  # no connection of the pool is free
        return True
    if not isinstance(error, exc.DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = sqlstate(error)
    if state is None:
        return isinstance(error, _UNSAID)
    return state.startswith(_AWAY_CLASSES) or state in _AWAY or misconfigured(error)


def lost_against_another(error: BaseException) -> bool:
    """Whether the database is well, and let another transaction go first, as in a deadlock."""
    state = sqlstate(error)
    return state is not None and state.startswith(_LOST_CLASS)


def spoils_connection(error: BaseException | None) -> bool:
    """Whether the connection that answered so must not be used again, though it is open."""
    state = sqlstate(error)
    return state is not None and (state in _DISCARD or state.startswith(_ENDED_CLASS))


def in_a_line(error: BaseException) -> str:
    """What the database said, without the statement and its values."""
    cause = getattr(error, "orig", None) or error
    words = " ".join(str(cause).split()) or type(cause).__name__
    return words[:_LONGEST]

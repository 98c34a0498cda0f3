"""What the console takes of this machine and of its database."""

from __future__ import annotations

from collections.abc import Iterator

from linewatch.doctor.findings import Finding, State
from linewatch.settings import Settings

_MOST_SHARE = 0.5  # workers and people's tools want connections, too


def connections(settings: Settings) -> Iterator[Finding]:
    """Whether the console's processes leave the database's connections to others."""
    from sqlalchemy import text

    from db.session import MOST_CONNECTIONS, engine_for, reading

    count, engine = settings.processes_of_console, engine_for(settings.sql_url)
    words = f"{count} process{'es' if count > 1 else ''}"
    if engine.dialect.name != "postgresql":
        yield Finding("console", State.OK, words)
        return
    with reading(engine) as connection:
        allowed = int(connection.scalar(text("SHOW max_connections")) or 0)
    wanted = count * MOST_CONNECTIONS
    words += f" with {wanted} connections at most, of {allowed} that the database allows"
    if wanted > _MOST_SHARE * allowed:
        advice = "; lower LINEWATCH_CONSOLE_PROCESSES, or raise max_connections"
        yield Finding("console", State.WARN, words + advice)
    else:
        yield Finding("console", State.OK, words)

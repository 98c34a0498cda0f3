"""PostgreSQL's own programs for copies, pg_dump and pg_restore, found and run.

How to reach the server they are told in the environment, as libpq reads it: a command line is
anybody's who can run `ps`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from linewatch.child_process import die_with_parent
from linewatch.errors import BackupError

SERVERS = Path("/usr/lib/postgresql")  # where Debian keeps each version's programs
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_LONGEST = 300  # characters of what a program says


@dataclass(frozen=True, slots=True)
class Tool:
    """A program and PostgreSQL's major version that it belongs to."""

    path: str
    version: int


def found_tool(name: str, least: int) -> Tool:
    """The oldest program of this name that is of version `least` or newer.

    Older ones refuse a newer server; newer ones may say what an older server does not know.

    Raises:
        BackupError: this machine has none.
    """
    usable = [tool for tool in _installed(name) if tool.version >= least]
    if not usable:
        raise BackupError(
            f"this machine has no {name} of PostgreSQL {least} or newer, neither on PATH nor in "
            f"{SERVERS}: install postgresql-client-{least}, or run this where the server is"
        )
    return min(usable, key=lambda tool: tool.version)  # of two alike, that on PATH


def _installed(name: str) -> Iterator[Tool]:
    paths = [shutil.which(name), *map(str, sorted(SERVERS.glob(f"*/bin/{name}")))]
    for path in filter(None, paths):
        try:
            said = subprocess.run(
                [path, "--version"], capture_output=True, text=True, timeout=30, check=False
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            continue
        if version := _VERSION.search(said):
            yield Tool(path, int(version[1]))


def dump(
    tool: Tool, options: Mapping[str, str], password: str, snapshot: str, target: Path
) -> None:
    """Write all of a database, as a snapshot shows it, to an archive of pg_dump's custom format.

    Raises:
        BackupError: pg_dump failed; says what it said.
    """
    words = ["--format=custom", f"--snapshot={snapshot}", f"--file={target}"]
    _run(tool, words, options, password)


def restore(tool: Tool, options: Mapping[str, str], password: str, source: Path) -> None:
    """Bring an archive into an empty database: all of it, or nothing.

    Owners and rights are left out: their users may not be there, and `linewatch db roles` makes
    them anew.

    Raises:
        BackupError: pg_restore failed; says what it said.
    """
    words = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    database = make_conninfo(dbname=options["dbname"])
    _run(tool, [*words, f"--dbname={database}", str(source)], options, password)


def _run(tool: Tool, words: Sequence[str], options: Mapping[str, str], password: str) -> None:
    done = subprocess.run(
        [tool.path, "--no-password", *words],
        env={**os.environ, **_environment(options, password), "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        preexec_fn=die_with_parent,
    )
    if done.returncode:
        name = Path(tool.path).name
        lines = [line.removeprefix(f"{name}: ") for line in done.stderr.splitlines()]
        telling = next((line for line in lines if "error" in line), lines[-1] if lines else "")
        raise BackupError(f"{name} failed: {telling[:_LONGEST] or f'code {done.returncode}'}")


def _environment(options: Mapping[str, str], password: str) -> dict[str, str]:
    """Connection options as libpq's environment variables."""
    known = {option.keyword.decode(): option for option in Conninfo.get_defaults()}
    environment = {"PGPASSWORD": password} if password else {}
    for name, value in options.items():
        variable = known[name].envvar if name in known else None
        if variable:
            environment[variable.decode()] = value
        elif name in known and known[name].dispchar == b"*":
            raise BackupError(
                f"LINEWATCH_DATABASE_URL has {name}, which pg_dump could be told on its command "
                "line alone, where others see it: use a key without a password for this"
            )
    return environment

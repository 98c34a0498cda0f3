"""`linewatch shifts`: import, show and check shift calendars."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from linewatch.commands._database import opened
from linewatch.commands._output import FORMATS, say, write_rows
from linewatch.os_user import os_user

if TYPE_CHECKING:
    from db.calendars.recount import Recount

_file = click.argument("file", type=click.Path(path_type=Path))
_line = click.option(
    "--line", help="Only this line's; if the file does not name it, what it says for all lines."
)
_new_lines = click.option(
    "--new-lines", is_flag=True, help="Take also lines of which no picture came yet."
)


@click.group()
def command() -> None:
    """Import, show and check shift calendars: which shift a part was made in, and on which day."""


@command.command("import")
@_file
@_line
@_new_lines
def import_(file: Path, line: str | None, new_lines: bool) -> None:
    """Replace the calendars of lines by those in FILE, from the first day they are valid from.

    What was made since that day is counted anew, day by day, while workers go on. A recount that
    was cut short is taken up by importing the same file again.
    """
    from db.calendars.ahead import ensure_spans
    from db.calendars.imports import imported
    from db.calendars.recount import recounted
    from db.session import explained, transaction
    from linewatch.commands._calendars import read
    from linewatch.settings import get_settings

    settings = get_settings()
    engine = opened()
    with explained(settings.sql_url):
        calendars = read(engine, file, settings.plant_timezone, line=line, new_lines=new_lines)
        with transaction(engine) as connection:
            ensure_spans(connection, settings.timezone)
            changes = imported(connection, calendars, by=os_user())
        for name, specs in calendars.items():
            days = ", ".join(f"{spec.valid_from}" for spec in specs)
            say(f"{name or 'all lines'}: valid from {days}")
        done = recounted(engine, changes)
    _say_recount(done)


@command.command()
@click.argument("line")
def release(line: str) -> None:
    """Let LINE, which has shifts of its own, follow the plant's again.

    What was made on it since its shifts differed from the plant's is counted anew by these, day by
    day, while workers go on. To change its shifts from a day on, import a calendar instead.
    """
    from db.calendars.recount import recounted
    from db.calendars.release import given_the_plants, released
    from db.session import explained, transaction
    from linewatch.commands._calendars import known_line
    from linewatch.settings import get_settings

    engine = opened()
    with explained(get_settings().sql_url):
        known_line(engine, line)
        with transaction(engine) as connection:
            changes = given_the_plants(connection, line, by=os_user())
        done = recounted(engine, changes)
        with transaction(engine) as connection:
            released(connection, line, by=os_user())
    say(f"{line} follows the plant's shifts")
    _say_recount(done)


def _number(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _say_recount(done: Recount) -> None:
    say(
        f"{_number(done.days, 'day')} counted anew by these shifts; {_number(done.moved, 'part')} "
        "went to another slice, where a shift begins within a quarter hour"
    )
    if done.inexact:
        listed = ", ".join(map(str, done.inexact))
        say(
            f"pictures without a serial number are purged, so their quarter hours were not split "
            f"where a shift begins within one: {listed}"
        )


@command.command()
@_file
@_line
@_new_lines
def check(file: Path, line: str | None, new_lines: bool) -> None:
    """Say what an import of FILE would change, its gaps and clock changes; write nothing."""
    from db.session import explained
    from linewatch.commands._calendars import differences, read
    from linewatch.settings import get_settings

    settings = get_settings()
    engine = opened()
    with explained(settings.sql_url):
        calendars = read(engine, file, settings.plant_timezone, line=line, new_lines=new_lines)
        for words in differences(engine, calendars, datetime.now(UTC)):
            say(words)


@command.command()
@click.option("--line", help="Of this line; else the plant's.")
@click.option("--day", help="A plant day: '2026-03-28', 'today'; else a week from today.")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def show(line: str | None, day: str | None, format_: str) -> None:
    """List the shifts of a day with their instants, and the time between them.

    A shift in which the clocks change says how far they go forward (+) or back (-), in minutes.
    """
    from db.calendars.spans import spans
    from db.calendars.stored import calendar_of
    from db.session import explained
    from linewatch.commands._calendars import CELLS, cells, known_line
    from linewatch.periods import parse_instant
    from linewatch.settings import get_settings

    settings = get_settings()
    engine = opened()
    with explained(settings.sql_url):
        name = known_line(engine, line) if line is not None else ""
        calendars = calendar_of(engine, name)
        now = datetime.now(UTC)
        if day is None:
            first = calendars.day_of(now)
            last = first + timedelta(days=6)
        else:
            asked = parse_instant(day, now, settings.timezone)
            first = last = asked.astimezone(settings.timezone).date()
        until = calendars.midnight(last + timedelta(days=1))
        found = spans(engine, name, calendars.midnight(first), until)
    rows = [cells(one, calendars.on(one.day).timezone) for one in found if first <= one.day <= last]
    title = f"Shifts of line {name}" if name else "Shifts of the plant"
    empty = f"no shifts are made for {first}: they reach from 400 days back to two years ahead"
    write_rows(rows, format_, columns=CELLS, title=title, empty=empty)

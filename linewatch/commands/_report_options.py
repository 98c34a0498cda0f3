"""What every `linewatch report` command takes, and how it shows what it found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from linewatch.commands._database import opened
from linewatch.commands._report_output import Output, output_options
from linewatch.commands._report_steps import refuse_long_table

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from db.reports.report import Report

F = TypeVar("F", bound=Callable[..., Any])
_NAMES = {
    "product": "Only this product.",
    "line": "Only this line.",
    "camera": "Only this camera.",
    "lot": "Only this lot.",
    "work_order": "Only this work order.",
    "shift": "Only shifts of this name.",
}


def period(function: F) -> F:
    """--since and --until."""
    until = click.option("--until", help="To, exclusive; in the same words.")
    since = click.option("--since", help="From: '2026-01-31T06:00', '24h', '7d', 'today'.")
    return since(until(function))


def only(*names: str) -> Callable[[F], F]:
    """An option for each name that a report can be narrowed to."""

    def decorate(function: F) -> F:
        for name in reversed(names):
            option = f"--{name.replace('_', '-')}"
            function = click.option(option, name, help=_NAMES[name], callback=stored)(function)
        return function

    return decorate


def stored(_context: click.Context, _parameter: click.Parameter, name: str | None) -> str | None:
    """A name as the database keeps it: it takes no NUL, and no bytes that are no text."""
    from db.storable_text import storable

    return storable(name)


def shown(function: Callable[..., Report]) -> Callable[..., None]:
    """Print the report that a command returns, or write it, as --format and --out say.

    Those that take --camera are about pictures.
    """

    @output_options
    @wraps(function)
    def command(*args: Any, output: Output, **kwargs: Any) -> None:
        if output.for_people:
            narrowed = {name: kwargs.get(name) for name in ("by", "since", "until")}
            refuse_long_table(**narrowed, of_pictures="camera" in kwargs)
        output.write(function(*args, **kwargs))

    return command


def database() -> tuple[Engine, tzinfo]:
    """The database, its schema checked, and the plant's time zone."""
    from linewatch.settings import get_settings

    return opened(), get_settings().timezone


def instants(since: str | None, until: str | None) -> tuple[datetime | None, datetime | None]:
    """What --since and --until mean, in UTC.

    Raises:
        ReportError: one is no time; nothing can have been made between them.
    """
    from db.reports.report import refuse_odd_range
    from linewatch.periods import parse_instant
    from linewatch.settings import get_settings

    now, timezone = datetime.now(UTC), get_settings().timezone
    first = None if since is None else parse_instant(since, now, timezone)
    last = None if until is None else parse_instant(until, now, timezone)
    refuse_odd_range(first and first.astimezone(timezone), last and last.astimezone(timezone), now)
    return first, last

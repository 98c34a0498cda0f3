"""`linewatch report`: defect rates, Pareto, class metrics and models."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from linewatch.commands._output import FORMATS, write_rows

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from db.report_groups import Filters

F = TypeVar("F", bound=Callable[..., Any])
_GROUPS = click.Choice(["line", "camera", "product", "lot", "hour", "shift", "day"])
_EMPTY = "nothing was inspected in this time"


def _period_and_filters(function: F) -> F:
    options = [
        click.option("--since", help="From: '2026-01-31T06:00', '24h', '7d', 'today'."),
        click.option("--until", help="To, exclusive; in the same words."),
        click.option("--product", help="Only this product."),
        click.option("--line", help="Only this line."),
        click.option("--camera", help="Only this camera."),
        click.option("--lot", help="Only this lot."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def _by(*default: str) -> Callable[[F], F]:
    text = "Group by this; can be repeated. A night shift counts to the day on which it began."
    return click.option("--by", type=_GROUPS, multiple=True, default=default, help=text)


_format = click.option("--format", "format_", type=FORMATS, default="table", show_default=True)


@click.group()
def command() -> None:
    """Defect rates, Pareto, class metrics and models."""


@command.command("defect-rate")
@_by("line")
@_period_and_filters
@_format
def defect_rate(by: tuple[str, ...], format_: str, **narrow: str | None) -> None:
    """How parts ended, by line or whatever --by names.

    defect_rate is defects / (passed + defects), with its 95 % Wilson interval; review_rate is the
    share of inspected parts that a person should look at.
    """
    from db import reports

    engine, filters = _open(narrow)
    rows = [row.cells() for row in reports.defect_rate(engine, filters, by)]
    write_rows(rows, format_, title="Defect rate", empty=_EMPTY)


@command.command()
@_by()
@_period_and_filters
@_format
def pareto(by: tuple[str, ...], format_: str, **narrow: str | None) -> None:
    """Defect classes, most frequent first, with their running share."""
    from db import reports

    engine, filters = _open(narrow)
    rows = [row.cells() for row in reports.pareto(engine, filters, by)]
    write_rows(rows, format_, title="Defects by class", empty="no defects in this time")


@command.command()
@click.option("--product", help="Only this product.")
@_format
def classes(product: str | None, format_: str) -> None:
    """Cross-validated precision, recall and F1 of the model in force, by class."""
    from db import reports

    engine, _ = _open({})
    rows = [row.cells() for row in reports.classes(engine, product)]
    empty = "no model is in force, or none that was trained here; see `linewatch models list`"
    write_rows(rows, format_, title="Classes", empty=empty)


@command.command()
@_period_and_filters
@_format
def model(format_: str, **narrow: str | None) -> None:
    """Which model version judged how many parts, and with what encoders."""
    from db import reports

    engine, filters = _open(narrow)
    rows = [row.cells() for row in reports.model(engine, filters)]
    write_rows(rows, format_, title="Models", empty=_EMPTY)


@command.command()
@click.argument("product")
@click.option("--since", help="From: '2026-01-31T06:00', '24h', '7d', 'today'.")
@click.option("--until", help="To, exclusive; in the same words.")
@_format
def shadow(product: str, since: str | None, until: str | None, format_: str) -> None:
    """Champion and shadow side by side, on the pictures that both judged.

    Counts by both verdicts; on those that people labelled, the gate's paired tests follow.
    """
    from db import deployments
    from db import shadow as shadows
    from linewatch.errors import ReportError
    from workers.shadowing import paired_lines

    engine, filters = _open({"since": since, "until": until})
    version = deployments.shadows(engine).get(product)
    if version is None:
        raise ReportError(
            f"{product} has no shadow; set one with `linewatch models shadow VERSION`"
        )
    span = {"since": filters.since, "until": filters.until}
    rows = [row.cells() for row in shadows.agreement(engine, product, version, **span)]
    write_rows(rows, format_, title="Champion and shadow", empty="both judged nothing yet")
    for line in paired_lines(engine, product, version, **span):
        click.echo(line, err=format_ != "table")


def _open(narrow: dict[str, str | None]) -> tuple[Engine, Filters]:
    """The database, its schema checked, and the filters."""
    from db import migrate
    from db.periods import parse_instant
    from db.report_groups import Filters
    from db.session import engine_for
    from linewatch.errors import ReportError
    from linewatch.settings import get_settings

    settings = get_settings()
    now = datetime.now(UTC)
    since, until = (
        parse_instant(text, now, settings.timezone) if (text := narrow.pop(name, None)) else None
        for name in ("since", "until")
    )
    if since is not None and until is not None and since >= until:
        raise ReportError(f"--since ({since:%Y-%m-%d %H:%M}Z) is not before --until")
    migrate.require(settings.sql_url)
    return engine_for(settings.sql_url), Filters(since=since, until=until, **narrow)

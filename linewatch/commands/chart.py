"""`linewatch chart`: control charts of nonconforming parts, their baselines and signals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, TypeVar

import click

from linewatch.commands._output import FORMATS, say, write_rows
from linewatch.commands._report_options import database, instants
from linewatch.commands._report_steps import refuse_long_table
from linewatch.commands._rights import RightsGroup
from linewatch.os_user import os_user

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from db.charts.chart import Chart

F = TypeVar("F", bound=Callable[..., Any])
_TIME = "'2026-01-31T06:00', '24h', '7d', 'today'"
_FORMAT = click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
_BY_WHOM = click.option("--by-whom", "who", default=os_user, help="Who did it; default: you.")
_DRAWN = click.Choice(["plot", *FORMATS.choices])


def _chart(function: F) -> F:
    """Which chart."""
    for option in (
        click.option("--n", type=int, help="Parts of a subgroup; with --by n, or alone."),
        click.option(
            "--by",
            type=click.Choice(["shift", "hour", "lot", "n"]),
            help="What a subgroup is; default: a shift.",
        ),
        click.option("--class", "class_code", help="Count parts with this defect class alone."),
        click.option("--line", help="Of this line; else of all lines together."),
        click.argument("product"),
    ):
        function = option(function)
    return function


@click.group(cls=RightsGroup)
def command() -> None:
    """Draw control charts, freeze their baselines, answer their signals."""


@command.command()
@_chart
@click.option("--since", help=f"From: {_TIME}; else from the end of the baseline.")
@click.option("--until", help="To, exclusive; in the same words.")
@click.option("--format", "format_", type=_DRAWN, default="plot", show_default=True)
def show(
    product: str,
    line: str | None,
    class_code: str | None,
    by: str | None,
    n: int | None,
    since: str | None,
    until: str | None,
    format_: str,
) -> None:
    """Draw the chart of PRODUCT: subgroups that are over, limits and signals.

    Limits are those of the baseline that was frozen last; before there is one, trial limits.
    """
    from db.charts.view import chart_view
    from linewatch.commands._chart_shown import write_chart

    if since is not None and format_ in ("plot", "table"):
        refuse_long_table(by, since, until, of_pictures=False)
    first, last = instants(since, until)
    engine, timezone = database()
    chart = _wanted(product, line, class_code, by, n)
    now = datetime.now(UTC)
    view = chart_view(engine, chart, first, last, timezone=timezone, now=now)
    write_chart(view, format_, timezone)


@command.command()
@_chart
@click.option("--from", "since", help=f"From: {_TIME}; else all there is.")
@click.option("--to", "until", help="To, exclusive; in the same words; else now.")
@click.option("--why", required=True, help="Why these subgroups are held to be in control.")
@click.option(
    "--kind", type=click.Choice(["p", "laney_p", "g"]), help="The chart; default: what suits."
)
@click.option(
    "--rules",
    "rule_set",
    type=click.Choice(["default", "shewhart", "western-electric", "nelson"]),
    default="default",
    show_default=True,
    help="Which signals it gives.",
)
@click.option("--leave-out", multiple=True, help="A subgroup with a known cause; can be repeated.")
@_BY_WHOM
def freeze(
    product: str,
    line: str | None,
    class_code: str | None,
    by: str | None,
    n: int | None,
    since: str | None,
    until: str | None,
    why: str,
    kind: str | None,
    rule_set: str,
    leave_out: tuple[str, ...],
    who: str,
) -> None:
    """Freeze the baseline of a chart of PRODUCT, from at least 20 subgroups in control.

    From then on the maintenance worker looks at the chart and raises its signals as alerts. An
    earlier baseline is kept, and no longer in force.
    """
    from db import products
    from db.charts import baselines
    from db.session import transaction
    from linewatch.commands._chart_shown import frozen_lines
    from quality.charts.attribute_charts import Kind

    first, last = instants(since, until)
    engine, timezone = database()
    products.require(engine, product)
    proposal = baselines.proposed(
        engine,
        _wanted(product, line, class_code, by, n),
        first,
        last,
        by=who,
        why=why,
        timezone=timezone,
        now=datetime.now(UTC),
        rule_set=rule_set,
        kind=None if kind is None else Kind(kind),
        left_out=leave_out,
    )
    with transaction(engine) as connection:
        frozen = baselines.freeze(connection, proposal)
    for sentence in frozen_lines(frozen):
        say(sentence)


@command.command()
@click.option("--product", help="Only this product's.")
@_FORMAT
def baselines(product: str | None, format_: str) -> None:
    """List every baseline that was frozen, newest first."""
    from db.charts.baselines import every_baseline
    from linewatch.commands._chart_shown import BASELINE, baseline_cells

    engine, timezone = _of(product)
    rows = [baseline_cells(one, timezone) for one in every_baseline(engine, product)]
    empty = "no baseline was frozen yet; see `linewatch chart freeze --help`"
    write_rows(rows, format_, columns=BASELINE, title="Baselines of control charts", empty=empty)


@command.command()
@click.option("--product", help="Only this product's.")
@click.option("--open", "open_only", is_flag=True, help="Those nobody did anything about yet.")
@_FORMAT
def signals(product: str | None, open_only: bool, format_: str) -> None:
    """List the signals that were raised, newest first, with what was done last."""
    from db.charts import signals as stored
    from linewatch.commands._chart_shown import SIGNAL, signal_cells

    engine, timezone = _of(product)
    found = stored.signals(engine, product, open_only=open_only)
    rows = [signal_cells(one, timezone) for one in found]
    empty = "no signal is open" if open_only else "no signal was raised yet"
    write_rows(rows, format_, columns=SIGNAL, title="Signals of control charts", empty=empty)


@command.command()
@click.argument("signal", type=int)
@click.argument("did")
@_BY_WHOM
def react(signal: int, did: str, who: str) -> None:
    """Say what was DONE about SIGNAL, a number of `linewatch chart signals`; ends its alert."""
    from db.charts import signals as stored
    from db.session import transaction

    engine, _ = database()
    with transaction(engine) as connection:
        stored.react(connection, signal, did, by=who)
    say(f"signal {signal}: kept what {who} did; its alert is over")


def _of(product: str | None) -> tuple[Engine, tzinfo]:
    """The database and the plant's time zone; a product that is asked for is there."""
    from db import products

    engine, timezone = database()
    if product is not None:
        products.require(engine, product)
    return engine, timezone


def _wanted(
    product: str, line: str | None, class_code: str | None, by: str | None, n: int | None
) -> Chart:
    from db.charts.chart import Chart

    by = by or ("shift" if n is None else "n")
    return Chart(product, line or "", class_code or "", by, n or 0)

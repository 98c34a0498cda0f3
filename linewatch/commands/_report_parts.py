"""`linewatch report`: defect rate, first-pass yield, Pareto, trend and lot release, by parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from linewatch.commands._report_options import database, instants, only, period, shown, stored

if TYPE_CHECKING:
    from db.reports.part_reports.filters import PartFilters
    from db.reports.report import Report

F = TypeVar("F", bound=Callable[..., object])
_NAMES = ["line", "product", "lot", "work-order", "shift", "model-version"]
_TIMES = ["quarter", "hour", "day", "week", "month"]
_BY = (
    "Group by this; can be repeated. A night shift counts to the day on which it began, and so do "
    "weeks and months."
)


def _by(choices: list[str], *default: str) -> Callable[[F], F]:
    # A camera is taken, so that a sentence can say why there is none.
    kind = click.Choice([*choices, "camera"])
    metavar = f"[{'|'.join(choices)}]"
    return click.option(
        "--by", type=kind, metavar=metavar, multiple=True, default=default, help=_BY
    )


_narrowed = only("product", "line", "lot", "work_order", "shift")


@click.command("defect-rate")
@_by(_NAMES + _TIMES, "line")
@period
@_narrowed
@shown
def defect_rate(by: tuple[str, ...], **narrow: str | None) -> Report:
    """How many parts are good, bad or open, by line or whatever --by names.

    The rate is nonconforming / (conforming + nonconforming) of first passes, with its 95 % Wilson
    interval; the band is what it comes to if all open parts are good, and if all are bad.
    """
    from db.reports.part_reports import defect_rate as reports

    filters = _filters(narrow)
    engine, timezone = database()
    return reports.defect_rate(engine, filters, _columns(by), timezone)


@click.command("first-pass")
@_by(_NAMES + _TIMES, "line")
@period
@_narrowed
@shown
def first_pass(by: tuple[str, ...], **narrow: str | None) -> Report:
    """First-pass yield and nonconforming parts per million, beside the defect rate's columns.

    The yield is conforming first passes / all first passes: an open part is not yet conforming.
    """
    from db.reports.part_reports import defect_rate as reports

    filters = _filters(narrow)
    engine, timezone = database()
    return reports.first_pass(engine, filters, _columns(by), timezone)


@click.command()
@_by(_NAMES + _TIMES)
@click.option("--class", "class_code", help="Only this class.")
@period
@_narrowed
@shown
def pareto(by: tuple[str, ...], class_code: str | None, **narrow: str | None) -> Report:
    """Defect classes by the number of parts that have them, most frequent first.

    A part with two classes is in both rows; the running share counts it once.
    """
    from db.reports.part_reports.pareto import pareto as report

    filters = _filters(narrow)
    engine, timezone = database()
    return report(engine, filters, _columns(by), timezone, class_code)


@click.command()
@_by(_NAMES, "line")
@period
@_narrowed
@shown
def trend(by: tuple[str, ...], **narrow: str | None) -> Report:
    """The defect rate beside the one of the period before, of equal length.

    --since says how long it is. The difference has its 95 % interval (Newcombe's).
    """
    from db.reports.part_reports.trend import trend as report

    filters = _filters(narrow)
    engine, timezone = database()
    return report(engine, filters, _columns(by), timezone)


@click.command()
@click.argument("lot", callback=stored)
@only("product")
@shown
def lot(lot: str, product: str | None) -> Report:
    """All that is known of LOT: counts, classes, who decided, re-inspections, open parts."""
    from db.reports.part_reports.lot import lot_release

    engine, timezone = database()
    return lot_release(engine, lot, timezone, product)


def _filters(narrow: dict[str, str | None]) -> PartFilters:
    from db.reports.part_reports.filters import PartFilters

    since, until = instants(narrow.pop("since", None), narrow.pop("until", None))
    return PartFilters(since, until, **narrow)


def _columns(by: tuple[str, ...]) -> list[str]:
    return [name.replace("-", "_") for name in by]

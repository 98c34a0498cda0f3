"""`linewatch report`: parts first; pictures by camera, class metrics, models and the shadow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linewatch.commands._report_appraisal import agreement, audit
from linewatch.commands._report_containment import containment
from linewatch.commands._report_labels import label_progress, label_verdict
from linewatch.commands._report_options import database, instants, only, period, shown
from linewatch.commands._report_parts import defect_rate, first_pass, lot, pareto, trend
from linewatch.commands._report_running import backlog, flow, rejected, versions
from linewatch.commands._rights import RightsGroup

if TYPE_CHECKING:
    from db.reports.groups import Filters
    from db.reports.report import Report

_GROUPS = click.Choice(["line", "camera", "product", "lot", "hour", "shift", "day"])
_BY = "Group by this; can be repeated. A night shift counts to the day on which it began."
_narrowed = only("product", "line", "camera", "lot")


@click.group(cls=RightsGroup)
def command() -> None:
    """Defect rate, yield, Pareto, trend, lots; models, labels, rejects, flow, backlog."""


for _report in (
    *(defect_rate, first_pass, pareto, trend, lot),
    *(versions, backlog, rejected, flow),
    *(label_verdict, label_progress),
    *(audit, agreement, containment),
):
    command.add_command(_report)


@command.command()
@click.option("--by", type=_GROUPS, multiple=True, default=("camera",), help=_BY)
@period
@_narrowed
@shown
def pictures(by: tuple[str, ...], **narrow: str | None) -> Report:
    """How pictures ended, by camera or whatever --by names, in the hour of their verdict.

    defect_rate is defects / (passed + defects), with its 95 % Wilson interval; review_rate is the
    share of inspected pictures that a person should look at. Parts are counted by defect-rate.
    """
    from db.reports import pictures as reports

    filters = _filters(narrow)
    engine, timezone = database()
    return reports.picture_report(engine, filters, by, timezone)


@command.command()
@only("product")
@shown
def classes(product: str | None) -> Report:
    """Cross-validated precision, recall and F1 of the model in force, by class."""
    from db.reports import pictures as reports
    from db.reports.report import Report
    from db.reports.rows import ClassRow

    engine, _ = database()
    rows = tuple(row.cells() for row in reports.classes(engine, product))
    empty = "no model is in force, or none that was trained here; see `linewatch models list`"
    blank = ClassRow("", "", "", 0.0, 0.0, 0.0, 0, False).cells()
    return Report("classes", "Classes", rows, empty=empty, blank=blank)


@command.command()
@period
@_narrowed
@shown
def model(**narrow: str | None) -> Report:
    """Which model version judged how many pictures, and with what encoders."""
    from db.reports import pictures as reports
    from db.reports.report import Report
    from db.reports.rows import ModelRow

    filters = _filters(narrow)
    engine, timezone = database()
    rows = tuple(row.cells() for row in reports.model(engine, filters, timezone))
    blank = ModelRow.blank().cells()
    return Report("model", "Models", rows, empty=reports.EMPTY, blank=blank)


@command.command()
@click.argument("product")
@period
@shown
def shadow(product: str, since: str | None, until: str | None) -> Report:
    """Champion and shadow side by side, on the pictures that both judged.

    Counts by both verdicts; on those that people labelled, the gate's paired tests follow.
    """
    from db import products
    from db.models import deployments
    from db.models import shadow as shadows
    from db.reports.report import Report
    from linewatch.errors import ReportError
    from training.comparison.shadow import paired_lines

    first, last = instants(since, until)
    engine, _ = database()
    version = deployments.shadows(engine).get(product)
    if version is None:
        products.require(engine, product)
        raise ReportError(
            f"{product} has no shadow; set one with `linewatch models shadow VERSION`"
        )
    span = {"since": first, "until": last}
    rows = tuple(row.cells() for row in shadows.agreement(engine, product, version, **span))
    notes = tuple(paired_lines(engine, product, version, **span))
    empty = "both judged nothing yet"
    blank = shadows.Agreement("", "", "", "", 0).cells()
    return Report("shadow", "Champion and shadow", rows, notes=notes, empty=empty, blank=blank)


def _filters(narrow: dict[str, str | None]) -> Filters:
    from db.reports.groups import Filters

    since, until = instants(narrow.pop("since", None), narrow.pop("until", None))
    return Filters(since, until, **narrow)

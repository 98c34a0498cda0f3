"""`linewatch report`: people's words against the model's, and how the labels grow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from linewatch.commands._report_options import database, instants, only, period, shown

if TYPE_CHECKING:
    from db.reports.report import Report

_GROUPS = ["product", "line", "model-version", "class"]


@click.command("label-verdict")
@click.option(
    "--by",
    type=click.Choice(_GROUPS),
    multiple=True,
    default=("product", "class"),
    help="Group by this; can be repeated.",
)
@period
@only("product", "line", "lot")
@shown
def label_verdict(
    by: tuple[str, ...], since: str | None, until: str | None, **names: Any
) -> Report:
    """What people said against what the model said: agreement, escapes, overkill.

    Of labelled pictures, and of parts that a person decided. No random sample: the shares are of
    what people looked at, not of the line.
    """
    from db.reports.label_verdict import label_verdict as report
    from db.reports.part_reports.filters import PartFilters

    engine, timezone = database()
    begins, ends = instants(since, until)
    filters = PartFilters(begins, ends, **names)
    return report(engine, filters, [name.replace("-", "_") for name in by], timezone)


@click.command("label-progress")
@only("product")
@shown
def label_progress(product: str | None) -> Report:
    """Labelled pictures by class: how many there are, are needed, and came since training."""
    from db.reports.label_progress import Wanted
    from db.reports.label_progress import label_progress as report
    from linewatch.settings import get_settings

    engine, _ = database()
    settings = get_settings()
    wanted = Wanted(pictures=settings.folds, labels=settings.retrain_after_labels)
    return report(engine, wanted, product=product)

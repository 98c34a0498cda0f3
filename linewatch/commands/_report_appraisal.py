"""`linewatch report audit`, `agreement` and `containment`: how well parts are judged."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from linewatch.commands._report_options import database, instants, only, period, shown
from linewatch.errors import LabelError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from db.reports.report import Report
    from linewatch.products import ProductSpec


@click.command()
@period
@only("product", "line", "lot")
@shown
def audit(since: str | None, until: str | None, **narrow: str | None) -> Report:
    """The line's true defect rate, escapes and overkill, from the audit sample.

    With 95 % intervals. Without a sample the rate is Rogan and Gladen's, by how the model does on
    labelled parts, which are no random sample.
    """
    from db.reports.appraisal.audit import audit as report
    from db.reports.part_reports.filters import PartFilters

    engine, timezone = database()
    first, last = instants(since, until)
    return report(engine, PartFilters(first, last, **narrow), timezone)


@click.command()
@click.option("--product", required=True, help="Whose golden parts.")
@click.option("--set", "set_name", help="One golden set; default: all of the product's.")
@click.option("--version", help="The model; default: the champion.")
@click.option(
    "--csv",
    "path",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A table of trials: appraiser, part, trial, said and, if need be, reference.",
)
@shown
def agreement(product: str, set_name: str | None, version: str | None, path: Path | None) -> Report:
    """How well model and people tell parts whose class is beyond doubt (AIAG's attribute study).

    On golden parts: the model by its verdicts, people by their labels and decisions; who has said
    something of a part twice has had two trials. Or, with --csv, on the trials of a table.
    """
    from db import products
    from db.models import deployments
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from training.agreement.agreement import agreement_of_golden

    engine, _ = database()
    spec = products.require(engine, product)
    if path is not None:
        return _of_trials(engine, spec, path, set_name)
    version = version or deployments.champion(engine, product)
    store = ModelStore(get_settings().models_url)
    return agreement_of_golden(engine, store, product, version, set_name)


def _of_trials(engine: Engine, spec: ProductSpec, path: Path, set_name: str | None) -> Report:
    from db.reports.appraisal.golden_ratings import CONFORMING, golden_parts, reference_of
    from db.session import reading
    from linewatch.labels.trials_file import read_trials
    from training.agreement.agreement import REVIEW, agreement_of_trials

    words = {code: code for code in spec.class_codes} | {CONFORMING: CONFORMING, REVIEW: REVIEW}
    if spec.good_class is not None:
        words[spec.good_class] = CONFORMING
    trials = read_trials(path, words)
    rated = {one.part for one in trials.ratings}
    reference = dict(trials.reference)
    if rated - reference.keys():
        with reading(engine) as connection:
            golden = reference_of(golden_parts(connection, spec.product, set_name))
        reference |= {part: golden[part] for part in rated - reference.keys() if part in golden}
    if unknown := sorted(rated - reference.keys()):
        raise LabelError(
            f"{path}: nothing says what part {unknown[0]!r} is (and {len(unknown) - 1} others); "
            "give a column 'reference', or add its picture with `linewatch golden add`"
        )
    return agreement_of_trials(reference, trials.ratings)

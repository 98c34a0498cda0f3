"""`linewatch report containment`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import click

from linewatch.commands._output import FORMATS, write_stream
from linewatch.commands._report_options import database, instants, only, period
from linewatch.csv_cell import Cell
from linewatch.errors import ModelError, ReportError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from db.inspections.passed_part import Passed
    from model_store.store import StoredModel
    from training.comparison.containment import Contained, Pictures
_COLUMNS = (
    *("result", "product", "part", "pass", "line", "lot", "made_at", "pictures", "picture"),
    *("camera", "class", "confidence", "why", "disposition", "by"),
)


@click.command()
@click.option("--version", required=True, help="The version under which the parts passed.")
@click.option("--against", required=True, help="The version that judges them again.")
@only("camera", "line", "lot")
@period
@click.option("--from-pictures", is_flag=True, help="Read pictures whose features are not stored.")
@click.option("--format", "format_", type=FORMATS, default="csv", show_default=True)
def containment(
    version: str,
    against: str,
    since: str | None,
    until: str | None,
    from_pictures: bool,
    format_: str,
    **narrow: str | None,
) -> None:
    """List the parts that passed under one version and would not pass under another.

    Judged again by stored features; parts without are listed as unknown, or read again with
    --from-pictures. No part is left out, and rows are written as they are found. Needs the model
    store, and rights to read features.
    """
    from db.inspections.passed import passed_parts
    from db.inspections.passed_part import Passed
    from db.inspections.unlike_maps import scores_of
    from training.comparison.containment import Containment, Result

    engine, _ = database()
    model, product = _model(engine, version, against)
    first, last = instants(since, until)
    wanted = Passed(product, version, model.manifest.fingerprint, since=first, until=last, **narrow)
    _refuse_uncounted(engine)
    pictures = _pictures(engine, model) if from_pictures else None
    found = Containment(model, pictures, partial(scores_of, engine, version=against))
    rows = _rows(found.contained(passed_parts(engine, wanted)), product)
    write_stream(rows, format_, columns=_COLUMNS, title="Containment", empty="no part to contain")
    counts = found.counts
    click.echo(
        f"{counts.total()} parts passed under {version}: under {against} "
        f"{counts[Result.PASS]} pass, {counts[Result.DEFECT]} are defects, "
        f"{counts[Result.REVIEW]} need a person, {counts[Result.UNKNOWN]} are unknown",
        err=True,
    )
    _tell_of_purged(engine, wanted)


def _model(engine: Engine, version: str, against: str) -> tuple[StoredModel, str]:
    """The model that judges again, and the product of both."""
    from db.models import versions
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from training.stored_model import stored_model

    product = versions.require(engine, version).product
    model = stored_model(engine, ModelStore(get_settings().models_url), against)
    if model.manifest.product != product:
        raise ModelError(
            f"model {against} is for {model.manifest.product}, and {version} for {product}"
        )
    return model, product


def _refuse_uncounted(engine: Engine) -> None:
    from db.parts.backfill import pending

    if pending(engine):
        raise ReportError(
            "inspections of before are not counted as parts yet, and would be missing here; run "
            "`linewatch db backfill` first"
        )


def _pictures(engine: Engine, model: StoredModel) -> Pictures:
    from db import products
    from linewatch.evaluation.stored_pictures import StoredPictures
    from linewatch.settings import get_settings
    from training.spaces import feature_spaces
    from vision.extractor import FeatureExtractor

    settings = get_settings()
    spec = products.require(engine, model.manifest.product)
    extractor = FeatureExtractor.from_settings(settings)
    space = feature_spaces.space_of(extractor, model.manifest)
    return StoredPictures(space, spec, settings, model.manifest.fingerprint, model.memory)


def _rows(found: Iterator[Contained], product: str) -> Iterator[dict[str, Cell]]:
    for one in found:
        part, said = one.part, one.said
        yield {
            "result": str(one.result),
            "product": product,
            "part": part.serial or None,
            "pass": part.pass_number,
            "line": part.line,
            "lot": part.lot,
            "made_at": part.made_at.isoformat(timespec="seconds"),
            "pictures": len(part.pictures),
            "picture": str(one.picture.id),
            "camera": one.picture.camera,
            "class": said.defect_class if said else None,
            "confidence": said.confidence if said else None,
            "why": str(said.reason) if said and said.reason else one.why or None,
            "disposition": part.disposition,
            "by": part.decided_by,
        }


def _tell_of_purged(engine: Engine, wanted: Passed) -> None:
    from db.reports.appraisal.purged_pictures import purged_pictures

    if gone := purged_pictures(engine, wanted):
        click.echo(
            f"besides, {gone} pictures without a serial number passed and are purged: nothing is "
            "known of them but their number",
            err=True,
        )

"""`linewatch replay`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from linewatch.commands._database import opened
from linewatch.commands._output import FORMATS, write_rows
from linewatch.csv_cell import Cell
from linewatch.errors import ModelError, ReportError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from model_store.store import StoredModel
_COLUMNS = (
    *("id", "part", "decided_at", "old_version", "old_verdict", "old_class", "old_confidence"),
    *("new_verdict", "new_class", "new_confidence", "changed"),
)


@click.command()
@click.option("--part", help="The part's serial number.")
@click.option("--since", help="From: '2026-01-31T06:00', '24h', '7d', 'today'.")
@click.option("--until", help="To, exclusive; in the same words.")
@click.option("--product", help="Needed where neither --part nor --version tells.")
@click.option("--version", help="Judge with this version; default: the champion.")
@click.option("--changed", is_flag=True, help="Only pictures that would be judged differently.")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def command(
    part: str | None,
    since: str | None,
    until: str | None,
    product: str | None,
    version: str | None,
    changed: bool,
    format_: str,
) -> None:
    """Judge past pictures again with any version, from their stored features.

    Needs neither the pictures nor a GPU, and changes nothing: old and new verdicts are printed
    side by side. Pictures whose features were not kept are counted at the end.
    """
    from linewatch.periods import parse_instant
    from linewatch.settings import get_settings

    if part is None and since is None:
        raise click.UsageError("say which pictures: --part SERIAL, or --since (and --until)")
    settings = get_settings()
    engine, now = opened(), datetime.now(UTC)
    begin, end = (
        None if text is None else parse_instant(text, now, settings.timezone)
        for text in (since, until)
    )
    model = _model(engine, part, product, version)
    rows: list[dict[str, Cell]] = []
    bare, unseen = 0, Counter[str]()
    for row in _replayed(engine, model, part, begin, end, unseen):
        if row is None:
            bare += 1
        elif row["changed"] or not changed:
            rows.append(row)
    title = f"Judged again by {model.manifest.version}"
    write_rows(
        rows, format_, columns=_COLUMNS, title=title, empty="nothing to show in this selection"
    )
    if bare:
        click.echo(
            f"{bare} pictures have no stored features of {model.manifest.fingerprint:.16} "
            f"({model.manifest.encoders}) and were left out",
            err=True,
        )
    if unseen.total():
        click.echo(
            f"{unseen.total()} pictures were judged without the rule of good parts' patches: "
            f"{model.manifest.version} has not looked at their places",
            err=True,
        )


def _model(
    engine: Engine, part: str | None, product: str | None, version: str | None
) -> StoredModel:
    from db import products
    from db.inspections import replay
    from db.models import deployments
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from training.stored_model import stored_model

    if version is None:
        if product is None and part is not None:
            found = replay.products_of_part(engine, part)
            if not found:
                raise ReportError(f"no part with serial number {part!r} was ever inspected")
            product = found[0] if len(found) == 1 else None
        if product is None:
            raise ReportError("say of which product (--product) or with which --version")
        products.require(engine, product)
        version = deployments.champion(engine, product)
        if version is None:
            raise ModelError(f"{product} has no champion; choose a --version")
    model = stored_model(engine, ModelStore(get_settings().models_url), version)
    if product not in (None, model.manifest.product):
        raise ModelError(f"model {version} is for {model.manifest.product}, not for {product}")
    return model


def _replayed(
    engine: Engine,
    model: StoredModel,
    part: str | None,
    since: datetime | None,
    until: datetime | None,
    unseen: Counter[str],
) -> Iterator[dict[str, Cell] | None]:
    """A row for each picture, None where its features are not stored.

    `unseen` counts those at whose places the model would look too, and has not.
    """
    from db.inspections import replay, unlike_maps
    from model_store.serving.rejudge import rejudge, vectors_of

    manifest = model.manifest
    pages = replay.judged(
        engine, manifest.product, manifest.fingerprint, part=part, since=since, until=until
    )
    for page in pages:
        kept = [(row, row.vector) for row in page if row.vector is not None]
        scores: list[float | None] = [None] * len(kept)
        if model.memory is not None:
            ids = [row.id for row, _ in kept]
            found = unlike_maps.scores_of(engine, ids, manifest.version)
            scores = [found.get(id_) for id_ in ids]
            unseen[manifest.version] += scores.count(None)
        again = rejudge(model, vectors_of([vector for _, vector in kept]), scores).judgements
        yield from [None] * (len(page) - len(kept))
        for (row, _), said in zip(kept, again, strict=True):
            old, new = (row.verdict, row.defect_class), (str(said.verdict), said.defect_class)
            yield {
                "id": str(row.id),
                "part": row.part,
                "decided_at": row.decided_at.isoformat(timespec="seconds"),
                "old_version": row.model_version,
                "old_verdict": row.verdict,
                "old_class": row.defect_class,
                "old_confidence": row.confidence,
                "new_verdict": new[0],
                "new_class": said.defect_class,
                "new_confidence": said.confidence,
                "changed": old != new,
            }

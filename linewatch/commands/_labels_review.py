"""`linewatch labels list|history|decisions|disagreements|suspects|advice`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linewatch.commands._database import opened
from linewatch.commands._numbers import Number
from linewatch.commands._output import FORMATS, write_rows
from linewatch.csv_cell import Cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine

    from db.labels.history import Statement
    from db.labels.labels import TrainingExample
    from quality.arrays import Floats

_format = click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
_LABELS = ("picture", "part", "label", "by", "at", "source", "note", "uri")
_DECISIONS = ("part", "pass", "disposition", "class", "by", "at", "source", "why")
_DISAGREEMENTS = ("picture", "part", "counts", "said", "uri")
_SUSPECTS = ("picture", "label", "suggested", "quality", "suggested_probability", "likely_error")
_ADVICE = ("class", "labels", "F1", "F1_with_twice_as_many", "more_labels", "advice")


@click.command("list")
@click.argument("product")
@_format
def list_(product: str, format_: str) -> None:
    """List the label that holds for each labelled picture."""
    from db.labels.history import current

    rows = [_row(statement) for statement in current(_engine(product), product)]
    write_rows(
        rows,
        format_,
        columns=_LABELS,
        title=f"Labels of {product}",
        empty=f"{product} has no labels",
    )


@click.command("history")
@click.argument("product")
@click.option("--part", help="Only this part's serial, or this picture's id.")
@_format
def history(product: str, part: str | None, format_: str) -> None:
    """List every label ever given, the latest of a picture last."""
    from db.labels.history import history as statements

    rows = [_row(statement) for statement in statements(_engine(product), product, part)]
    write_rows(
        rows,
        format_,
        columns=_LABELS,
        title=f"Labels of {product}, all",
        empty="no labels were given",
    )


@click.command("decisions")
@click.argument("product")
@click.option("--part", help="Only this part's serial.")
@click.option("--all", "every", is_flag=True, help="Every decision ever made, the latest last.")
@_format
def decisions(product: str, part: str | None, every: bool, format_: str) -> None:
    """List what people decided of whole parts: the decision that holds for each."""
    from db.labels import decisions as found

    engine = _engine(product)
    made = (found.history if every else found.current)(engine, product, part)
    rows: list[dict[str, Cell]] = [
        {
            "part": one.part,
            "pass": one.pass_number,
            "disposition": one.disposition,
            "class": one.defect_class,
            "by": one.decided_by,
            "at": one.decided_at.isoformat(timespec="seconds"),
            "source": one.source,
            "why": one.why,
        }
        for one in made
    ]
    write_rows(
        rows,
        format_,
        columns=_DECISIONS,
        title=f"Decisions on {product}",
        empty="no part was decided on",
    )


@click.command("disagreements")
@click.argument("product")
@_format
def disagreements(product: str, format_: str) -> None:
    """List the pictures that people call different things."""
    from db.labels.history import disagreements as found

    rows: list[dict[str, Cell]] = [
        {
            "picture": str(one.inspection_id),
            "part": one.part,
            "counts": one.counts,
            "said": ", ".join(f"{who}: {label}" for who, label in sorted(one.words.items())),
            "uri": one.image_uri,
        }
        for one in found(_engine(product), product)
    ]
    write_rows(
        rows, format_, columns=_DISAGREEMENTS, title="Disagreements", empty="nobody disagrees"
    )


@click.command("suspects")
@click.argument("product")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1), help="How many at most."
)
@_format
def suspects(product: str, limit: int, format_: str) -> None:
    """List labels that may be wrong, the most doubtful first.

    Each picture is judged by models that have not seen its part (cross-validation on stored
    features); cleanlab ranks the labels that they contradict.
    """
    from linewatch.settings import get_settings
    from model_store.validation.crossval import cross_validate
    from model_store.validation.label_errors import label_suspects

    settings = get_settings()
    examples, features, parts = _training_set(product)
    labels = [example.label for example in examples]
    validation = cross_validate(
        features, labels, folds=settings.folds, random_state=settings.random_state, groups=parts
    )
    rows: list[dict[str, Cell]] = [
        {
            "picture": str(examples[one.row].id),
            "label": one.label,
            "suggested": one.suggested,
            "quality": one.quality,
            "suggested_probability": one.suggested_probability,
            "likely_error": one.likely_error,
        }
        for one in label_suspects(validation, labels)[:limit]
    ]
    write_rows(
        rows,
        format_,
        columns=_SUSPECTS,
        title="Labels to look at again",
        empty="no label is contradicted",
    )
    if validation.metrics.unscored:
        names = ", ".join(validation.metrics.unscored)
        click.echo(f"too few labels to test: {names}", err=True)


@click.command("advice")
@click.argument("product")
@click.option(
    "--target",
    type=Number(0.1, 0.99),
    default=0.9,
    show_default=True,
    help="The F1 that each class shall have.",
)
@_format
def advice(product: str, target: float, format_: str) -> None:
    """Say for each class whether it has labels enough, and about how many more would do.

    A learning curve is drawn for each class from stored features; --target is the F1 wanted.
    """
    from linewatch.settings import get_settings
    from model_store.validation.learning_curve import advise

    settings = get_settings()
    examples, features, parts = _training_set(product)
    found = advise(
        features,
        [example.label for example in examples],
        target=target,
        folds=settings.folds,
        random_state=settings.random_state,
        groups=parts,
    )
    rows: list[dict[str, Cell]] = [
        {
            "class": one.class_code,
            "labels": one.labels,
            "F1": one.f1,
            "F1_with_twice_as_many": one.f1_doubled,
            "more_labels": one.more_for_target,
            "advice": one.words,
        }
        for one in found
    ]
    write_rows(
        rows,
        format_,
        columns=_ADVICE,
        title=f"Labels for an F1 of {target:g}",
        empty="there are no labels",
    )


def _engine(product: str) -> Engine:
    from db import products

    engine = opened()
    products.require(engine, product)
    return engine


def _training_set(product: str) -> tuple[Sequence[TrainingExample], Floats, Sequence[str]]:
    """What a model would learn from: labelled pictures, their features, and whose part each is."""
    from db import products
    from linewatch.settings import get_settings
    from model_store.fitting.labelled_pictures import LabelledPictures
    from training.training_material import TrainingMaterial

    engine, settings = opened(), get_settings()
    spec = products.require(engine, product)
    material = TrainingMaterial.read(engine, spec, settings.recipe, by=settings.group_by)
    if material.split_note is not None:
        click.echo(f"warning: {material.split_note}", err=True)
    pictures = LabelledPictures.of(material.rows)
    return material.rows, pictures.features, pictures.groups


def _row(statement: Statement) -> dict[str, Cell]:
    return {
        "picture": str(statement.inspection_id),
        "part": statement.part,
        "label": statement.label,
        "by": statement.labelled_by,
        "at": statement.labelled_at.isoformat(timespec="seconds"),
        "source": statement.source,
        "note": statement.note,
        "uri": statement.image_uri,
    }

"""`linewatch models list|show|verify|costs|compare|decisions|runs`: what there is to know."""

from __future__ import annotations

import json

import click

from linewatch.commands._database import opened
from linewatch.commands._numbers import Number
from linewatch.commands._output import FORMATS, write_rows
from linewatch.errors import ModelError

_format = click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
_MODELS = ("role", "version", "product", "kind", "promise", "trained", "encoders")
_DECISIONS = ("decided_at", "challenger", "champion", "outcome", "reasons", "golden", "by")
_RUNS = (
    *("run", "started", "trigger", "state", "stage", "progress", "pictures", "macro_f1"),
    *("version", "error"),
)
_COSTS = (
    *("defect_rate", "ppv_share", "npv_share", "escapes_per_million", "overkill_per_million"),
    *("review_share", "cost_a_part"),
)
_COMPARED = ("set", "measure", "pictures", "first", "second", "difference")


@click.command("list")
@click.option("--product", help="Only this product.")
@_format
def list_(product: str | None, format_: str) -> None:
    """List the versions, newest first; ★ is the champion, ☆ the shadow."""
    from db import products
    from db.models import deployments, versions

    engine = opened()
    if product is not None:
        products.require(engine, product)
    champions, shadows = deployments.champions(engine), deployments.shadows(engine)
    rows = [
        {
            "role": ("★" if champions.get(info.product) == info.version else "")
            + ("☆" if shadows.get(info.product) == info.version else ""),
            "version": info.version,
            "product": info.product,
            "kind": info.kind,
            "promise": info.promise,
            "trained": f"{info.created_at:%Y-%m-%d %H:%M} UTC",
            "encoders": info.encoders,
        }
        for info in versions.versions(engine, product)
    ]
    write_rows(rows, format_, columns=_MODELS, title="Models", empty="there is no model yet")


@click.command("show")
@click.argument("version")
def show(version: str) -> None:
    """Print a version's manifest: classes, metrics, what it was trained on."""
    from model_store.promise.words import in_short

    manifest = load(version).manifest
    ours = {"kind": manifest.kind, "promise": in_short(manifest)}  # the file leaves these out
    shown = {**ours, **manifest.model_dump(mode="json")}
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False))


@click.command("verify")
@click.argument("version")
def verify(version: str) -> None:
    """Check a version's files against their checksums."""
    manifest = load(version).manifest
    click.echo(f"{version}: {len(manifest.classes)} classes, checksums agree")


@click.command("costs")
@click.argument("version")
@click.option(
    "--defect-rate",
    "rates",
    type=Number(0, 1),
    multiple=True,
    help="Share of defects among the line's parts; give it again to compare.",
)
@_format
def costs(version: str, rates: tuple[float, ...], format_: str) -> None:
    """What a version's verdicts would be worth at the line's own rate of defects.

    From how it judged pictures it had not seen, within the good ones and within the defects. The
    cost is that of the product file's `costs`, or of the settings, per part.
    """
    from db import products
    from linewatch.settings import get_settings
    from model_store.verdicts.costs import on_the_line

    manifest = load(version).manifest
    found = manifest.decisions
    if found is None:
        raise ModelError(
            f"{version} was trained before verdicts were counted; train a new one with "
            f"`linewatch train {manifest.product}`"
        )
    spec = products.get(opened(), manifest.product)
    prices = (spec and spec.costs) or get_settings().costs
    usual = (prices.defect_rate,) if prices else (0.5, 0.05, 0.005)
    figures = [on_the_line(found.good, found.defects, rate, prices) for rate in rates or usual]
    write_rows(
        [
            {
                "defect_rate": row.defect_rate,
                "ppv_share": row.ppv,
                "npv_share": row.npv,
                "escapes_per_million": round(row.escape_rate * 1e6),
                "overkill_per_million": round(row.overkill_rate * 1e6),
                "review_share": row.review_share,
                "cost_a_part": row.cost,
            }
            for row in figures
        ],
        format_,
        columns=_COSTS,
        title=f"{version} on the line",
        empty="",
    )


@click.command("compare")
@click.argument("champion")
@click.argument("challenger")
@_format
def compare(champion: str, challenger: str, format_: str) -> None:
    """Compare two versions on the same pictures, with the gate's tests; decides nothing.

    Both are asked about labelled pictures they have not learned from, and about the golden set.
    """
    from db.models import versions
    from linewatch.commands._comparison import class_rows, measure_rows, paired_lines
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from training.comparison.gate import evidence, rules_of

    settings, engine = get_settings(), opened()
    store = ModelStore(settings.models_url)
    found = evidence(engine, store, champion, versions.require(engine, challenger), settings)
    if not found.sets:
        raise ModelError(
            f"there is nothing to compare {champion} and {challenger} on: no class has "
            f"{settings.folds} labelled pictures with the features of both"
        )
    rows = [*measure_rows(found.sets), *class_rows(found.sets)]
    write_rows(rows, format_, columns=_COMPARED, title=f"{champion} and {challenger}", empty="")
    for line in paired_lines(found.sets, rules_of(settings), found.notes):
        click.echo(line, err=format_ != "table")


@click.command("decisions")
@click.option("--product", help="Only this product.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@_format
def decisions(product: str | None, limit: int, format_: str) -> None:
    """List what the gate said of each challenger, and why, newest first."""
    from db import products
    from db.models import gate_decisions

    engine = opened()
    if product is not None:
        products.require(engine, product)
    rows = [
        {
            "decided_at": f"{row.decided_at:%Y-%m-%d %H:%M:%S}Z",
            "challenger": row.challenger,
            "champion": row.champion,
            "outcome": row.outcome,
            "reasons": "; ".join(row.reasons),
            "golden": row.golden_digest and row.golden_digest[:12],
            "by": row.by,
        }
        for row in gate_decisions.newest(engine, product, limit)
    ]
    write_rows(
        rows,
        format_,
        columns=_DECISIONS,
        title="Gate decisions",
        empty="the gate has not been asked yet",
    )


@click.command("runs")
@click.argument("product")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@_format
def runs(product: str, limit: int, format_: str) -> None:
    """List a product's training runs with their progress, newest first."""
    from db import products
    from db.models import runs as training

    engine = opened()
    products.require(engine, product)
    rows = [
        {
            "run": row.id,
            "started": f"{row.started_at:%Y-%m-%d %H:%M:%S}Z",
            "trigger": row.trigger,
            "state": row.state,
            "stage": row.stage,
            "progress": None if row.progress is None else f"{row.progress:.0%}",
            "pictures": row.image_count,
            "macro_f1": row.macro_f1,
            "version": row.model_version,
            "error": row.error,
        }
        for row in training.runs(engine, product, limit)
    ]
    write_rows(
        rows, format_, columns=_RUNS, title="Training runs", empty=f"{product} was never trained"
    )


def load(version: str):  # type: ignore[no-untyped-def]  # the type would import numpy
    """A stored version, checked; raises ModelError."""
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from training.stored_model import stored_model

    return stored_model(opened(), ModelStore(get_settings().models_url), version)

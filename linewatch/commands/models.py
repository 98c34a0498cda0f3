"""`linewatch models`: versions from training to retirement."""

from __future__ import annotations

import getpass
import json

import click

from linewatch.commands._output import FORMATS, write_rows
from linewatch.errors import ModelError

_format = click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
_why = click.option("--why", default="", help="Kept with the decision.")


@click.group()
def command() -> None:
    """List, show, compare, promote and roll back model versions; reckon what they cost."""


@command.command("list")
@click.option("--product", help="Only this product.")
@_format
def list_(product: str | None, format_: str) -> None:
    """List the versions, newest first; ★ is the champion, ☆ the shadow."""
    from db import deployments, model_versions
    from db.session import default_engine

    engine = default_engine()
    champions, shadows = deployments.champions(engine), deployments.shadows(engine)
    rows = [
        {
            "role": ("★" if champions.get(info.product) == info.version else "")
            + ("☆" if shadows.get(info.product) == info.version else ""),
            "version": info.version,
            "product": info.product,
            "kind": info.kind,
            "trained": f"{info.created_at:%Y-%m-%d %H:%M} UTC",
            "encoders": info.encoders,
        }
        for info in model_versions.versions(engine, product)
    ]
    write_rows(rows, format_, title="Models", empty="there is no model yet")


@command.command()
@click.argument("version")
def show(version: str) -> None:
    """Print a version's manifest: classes, metrics, what it was trained on."""
    manifest = _load(version).manifest
    shown = {"kind": manifest.kind, **manifest.model_dump(mode="json")}  # the file leaves it out
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False))


@command.command()
@click.argument("version")
def verify(version: str) -> None:
    """Check a version's files against their checksums."""
    manifest = _load(version).manifest
    click.echo(f"{version}: {len(manifest.classes)} classes, checksums agree")


@command.command()
@click.argument("version")
@click.option(
    "--defect-rate",
    "rates",
    type=click.FloatRange(0, 1),
    multiple=True,
    help="Share of defects among the line's parts; give it again to compare.",
)
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def costs(version: str, rates: tuple[float, ...], format_: str) -> None:
    """What a version's verdicts would be worth at the line's own rate of defects.

    From how it judged pictures it had not seen, within the good ones and within the defects. The
    cost is that of the product file's `costs`, or of the settings, per part.
    """
    from db import products
    from db.session import default_engine
    from linewatch.settings import get_settings
    from model_store.costs import on_the_line

    manifest = _load(version).manifest
    found = manifest.decisions
    if found is None:
        raise ModelError(
            f"{version} was trained before verdicts were counted; train a new one with "
            f"`linewatch train {manifest.product}`"
        )
    spec = products.get(default_engine(), manifest.product)
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
        title=f"{version} on the line",
        empty="",
    )


@command.command()
@click.argument("champion")
@click.argument("challenger")
@_format
def compare(champion: str, challenger: str, format_: str) -> None:
    """Compare two versions on the same pictures, with the gate's tests; decides nothing.

    Both are asked about labelled pictures they have not learned from, and about the golden set.
    """
    from db.session import default_engine
    from linewatch.comparison import class_rows, measure_rows, paired_lines
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from workers.gating import evidence, rules_of

    settings = get_settings()
    store = ModelStore(settings.models_url)
    found = evidence(default_engine(), store, champion, challenger, settings)
    if not found.sets:
        raise ModelError(
            f"there is nothing to compare {champion} and {challenger} on: no class has "
            f"{settings.folds} labelled pictures with the features of both"
        )
    rows = [*measure_rows(found.sets), *class_rows(found.sets)]
    write_rows(rows, format_, title=f"{champion} and {challenger}", empty="")
    for line in paired_lines(found.sets, rules_of(settings), found.notes):
        click.echo(line, err=format_ != "table")


@command.command()
@click.argument("version")
@_why
@click.option("--force", is_flag=True, help="Against the gate; needs --why.")
def promote(version: str, why: str, force: bool) -> None:
    """Let a version serve its product, if it passes the gate; workers swap between two batches.

    A product's first model has nothing to be compared with and is promoted at your word.
    """
    from db import feature_spaces
    from db.session import default_engine
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from workers import gating

    if force and not why.strip():
        raise click.UsageError("--force needs --why REASON, which is kept with the decision")
    manifest = _load(version).manifest
    if feature_spaces.get(default_engine(), manifest.fingerprint) is None:
        raise ModelError(
            f"model {version} was fitted on features {manifest.fingerprint:.16} "
            f"({manifest.encoders}), which no worker of this plant has ever made; start one with "
            "those encoders first, or train a new version with `linewatch train`"
        )
    settings = get_settings()
    decision = gating.promote(
        default_engine(),
        ModelStore(settings.models_url),
        version,
        settings=settings,
        by=getpass.getuser(),
        why=why,
        force=force,
    )
    for reason in decision.reasons:
        click.echo(f"gate, {decision.outcome}: {reason}")
    click.echo(f"{version} now serves {manifest.product}")


@command.command()
@click.argument("product")
@_why
def rollback(product: str, why: str) -> None:
    """Let the version before the present one serve again; nothing is asked, it did serve."""
    from db import deployments
    from db.session import default_engine

    version = deployments.rollback(default_engine(), product, by=getpass.getuser(), why=why)
    click.echo(f"{version} serves {product} again")


@command.command()
@click.argument("version", required=False)
@click.option("--off", "product", help="End the shadow of this product.")
@_why
def shadow(version: str | None, product: str | None, why: str) -> None:
    """Let a version judge beside the champion without a say; see `linewatch report shadow`."""
    from db import deployments
    from db.session import default_engine

    if (version is None) == (product is None):
        raise click.UsageError("give a VERSION, or --off PRODUCT")
    product = product or _load(str(version)).manifest.product
    deployments.set_shadow(default_engine(), product, version, by=getpass.getuser(), why=why)
    if version is None:
        click.echo(f"{product} has no shadow any more")
    else:
        click.echo(f"{version} judges {product} in the champion's shadow")


@command.command()
@click.argument("product")
@_why
def retire(product: str, why: str) -> None:
    """Let no version serve: every picture goes to a person until a new one is promoted."""
    from db import deployments
    from db.session import default_engine

    deployments.retire(default_engine(), product, by=getpass.getuser(), why=why)
    click.echo(f"{product} has no model now; its pictures go to review")


@command.command()
@click.option("--product", help="Only this product.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@_format
def decisions(product: str | None, limit: int, format_: str) -> None:
    """List what the gate said of each challenger, and why, newest first."""
    from db import gate_decisions
    from db.session import default_engine

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
        for row in gate_decisions.newest(default_engine(), product, limit)
    ]
    write_rows(rows, format_, title="Gate decisions", empty="the gate has not been asked yet")


@command.command()
@click.argument("product")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True)
@_format
def runs(product: str, limit: int, format_: str) -> None:
    """List a product's training runs with their progress, newest first."""
    from db import training
    from db.session import default_engine

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
        for row in training.runs(default_engine(), product, limit)
    ]
    write_rows(rows, format_, title="Training runs", empty=f"{product} was never trained")


@command.command("zero-shot")
@click.argument("product")
@click.option("--promote", "serve", is_flag=True, help="Put it to work, if it passes the gate.")
def zero_shot(product: str, serve: bool) -> None:
    """Make a model from the product's prompts alone: no picture needs a label.

    Loads CLIP's text encoder. Training while labels are few blends them into this model.
    """
    from db import products
    from db.session import default_engine
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from vision.extractor import FeatureExtractor
    from workers import gating
    from workers.prompts import make_zero_shot

    settings, engine = get_settings(), default_engine()
    spec = products.get(engine, product)
    if spec is None:
        raise ModelError(f"no product is called {product!r}; see `linewatch products list`")
    store = ModelStore(settings.models_url)
    manifest = make_zero_shot(
        engine, store, spec, FeatureExtractor.from_settings(settings), settings
    )
    click.echo(f"{manifest.version}: {len(manifest.classes)} classes, from prompts alone")
    if serve:
        who, why = getpass.getuser(), "linewatch models zero-shot --promote"
        gating.promote(engine, store, manifest.version, settings=settings, by=who, why=why)
        click.echo(f"{manifest.version} now serves {product}")


def _load(version: str):  # type: ignore[no-untyped-def]  # the type would import numpy
    from db.session import default_engine
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from workers.gating import stored_model

    return stored_model(default_engine(), ModelStore(get_settings().models_url), version)

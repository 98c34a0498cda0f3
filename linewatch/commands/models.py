"""`linewatch models`."""

from __future__ import annotations

import getpass

import click

from linewatch.commands._output import FORMATS, write_rows
from linewatch.errors import ModelError


@click.group()
def command() -> None:
    """List, show, verify, promote and roll back model versions; reckon what they cost."""


@command.command("list")
@click.option("--product")
def list_(product: str | None) -> None:
    """List the versions, newest last; the champion is marked."""
    from rich.console import Console
    from rich.table import Table

    from db import deployments, model_versions
    from db.session import default_engine

    engine = default_engine()
    champions = deployments.champions(engine)
    table = Table(box=None)
    for name in ("", "version", "product", "trained", "encoders"):
        table.add_column(name)
    for info in model_versions.versions(engine, product):
        mark = "★" if champions.get(info.product) == info.version else ""
        trained = f"{info.created_at:%Y-%m-%d %H:%M} UTC"
        table.add_row(mark, info.version, info.product, trained, info.encoders)
    Console().print(table)


@command.command()
@click.argument("version")
def show(version: str) -> None:
    """Print a version's manifest: classes, metrics, what it was trained on."""
    click.echo(_load(version).manifest.model_dump_json(indent=2))


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
@click.argument("version")
@click.option("--why", default="", help="Kept with the decision.")
def promote(version: str, why: str) -> None:
    """Let a version serve its product; workers swap between two batches."""
    from db import deployments, feature_spaces
    from db.session import default_engine

    manifest = _load(version).manifest
    product = manifest.product
    if feature_spaces.get(default_engine(), manifest.fingerprint) is None:
        raise ModelError(
            f"model {version} was fitted on features {manifest.fingerprint:.16} "
            f"({manifest.encoders}), which no worker of this plant has ever made; start one with "
            "those encoders first, or train a new version with `linewatch train`"
        )
    deployments.promote(default_engine(), product, version, by=getpass.getuser(), why=why)
    click.echo(f"{version} now serves {product}")


@command.command()
@click.argument("product")
@click.option("--why", default="", help="Kept with the decision.")
def rollback(product: str, why: str) -> None:
    """Let the version before the present one serve again."""
    from db import deployments
    from db.session import default_engine

    version = deployments.rollback(default_engine(), product, by=getpass.getuser(), why=why)
    click.echo(f"{version} serves {product} again")


@command.command()
@click.argument("product")
@click.option("--why", default="", help="Kept with the decision.")
def retire(product: str, why: str) -> None:
    """Let no version serve: every picture goes to a person until a new one is promoted."""
    from db import deployments
    from db.session import default_engine

    deployments.retire(default_engine(), product, by=getpass.getuser(), why=why)
    click.echo(f"{product} has no model now; its pictures go to review")


def _load(version: str):  # type: ignore[no-untyped-def]  # the type would import numpy
    from db import model_versions
    from db.session import default_engine
    from linewatch.settings import get_settings
    from model_store.store import ModelStore

    info = model_versions.get(default_engine(), version)
    if info is None:
        raise ModelError(f"no version is called {version!r}; see `linewatch models list`")
    store = ModelStore(get_settings().models_url)
    return store.load(info.product, version, manifest_sha256=info.manifest_sha256)

"""`linewatch models promote|rollback|shadow|retire|zero-shot`: which version serves."""

from __future__ import annotations

import getpass

import click

from linewatch.commands._models_reading import load
from linewatch.errors import ModelError

_why = click.option("--why", default="", help="Kept with the decision.")


@click.command("promote")
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
    manifest = load(version).manifest
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


@click.command("rollback")
@click.argument("product")
@_why
def rollback(product: str, why: str) -> None:
    """Let the version before the present one serve again; nothing is asked, it did serve."""
    from db import deployments
    from db.session import default_engine

    version = deployments.rollback(default_engine(), product, by=getpass.getuser(), why=why)
    click.echo(f"{version} serves {product} again")


@click.command("shadow")
@click.argument("version", required=False)
@click.option("--off", "product", help="End the shadow of this product.")
@_why
def shadow(version: str | None, product: str | None, why: str) -> None:
    """Let a version judge beside the champion without a say; see `linewatch report shadow`."""
    from db import deployments
    from db.session import default_engine

    if (version is None) == (product is None):
        raise click.UsageError("give a VERSION, or --off PRODUCT")
    product = product or load(str(version)).manifest.product
    deployments.set_shadow(default_engine(), product, version, by=getpass.getuser(), why=why)
    if version is None:
        click.echo(f"{product} has no shadow any more")
    else:
        click.echo(f"{version} judges {product} in the champion's shadow")


@click.command("retire")
@click.argument("product")
@_why
def retire(product: str, why: str) -> None:
    """Let no version serve: every picture goes to a person until a new one is promoted."""
    from db import deployments
    from db.session import default_engine

    deployments.retire(default_engine(), product, by=getpass.getuser(), why=why)
    click.echo(f"{product} has no model now; its pictures go to review")


@click.command("zero-shot")
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

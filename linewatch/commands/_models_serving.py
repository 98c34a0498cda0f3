"""`linewatch models promote|rollback|shadow|retire|zero-shot`: which version serves."""

from __future__ import annotations

import click

from linewatch.commands._database import opened
from linewatch.commands._gate_words import gate_lines
from linewatch.commands._models_reading import load
from linewatch.os_user import os_user

_why = click.option("--why", default="", help="Kept with the decision.")


@click.command("promote")
@click.argument("version")
@_why
@click.option("--force", is_flag=True, help="Against the gate; needs --why.")
def promote(version: str, why: str, force: bool) -> None:
    """Let a version serve its product, if it passes the gate; workers swap between two batches.

    A product's first model has nothing to be compared with and is promoted at your word. What the
    gate cannot decide, you may: with --why REASON.
    """
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from training import promotion

    settings = get_settings()
    made = promotion.promote(
        opened(),
        ModelStore(settings.models_url),
        version,
        promotion.Wish.of_person(os_user(), why, force=force, reasoned=True),
        settings=settings,
    )
    for line in gate_lines(made.decision):
        click.echo(line)
    click.echo(f"{version} now serves {made.gated.product}")


@click.command("rollback")
@click.argument("product")
@_why
def rollback(product: str, why: str) -> None:
    """Let the version before the present one serve again; nothing is asked, it did serve."""
    from db import products
    from db.models import deployments
    from db.models.standing import standing
    from db.session import transaction

    engine = opened()
    products.require(engine, product)
    seen = standing(engine, product)
    with transaction(engine) as connection:
        version = deployments.rollback(connection, product, by=os_user(), why=why, expected=seen)
    click.echo(f"{version} serves {product} again")


@click.command("shadow")
@click.argument("version", required=False)
@click.option("--off", "product", help="End the shadow of this product.")
@_why
def shadow(version: str | None, product: str | None, why: str) -> None:
    """Let a version judge beside the champion without a say; see `linewatch report shadow`."""
    from db import products
    from db.models import deployments
    from db.models.standing import SHADOW, standing
    from db.session import transaction

    if (version is None) == (product is None):
        raise click.UsageError("give a VERSION, or --off PRODUCT")
    engine = opened()
    product = product or load(str(version)).manifest.product
    products.require(engine, product)
    seen = standing(engine, product, SHADOW)
    with transaction(engine) as connection:
        deployments.set_shadow(connection, product, version, by=os_user(), why=why, expected=seen)
    if version is None:
        click.echo(f"{product} has no shadow any more")
    else:
        click.echo(f"{version} judges {product} in the champion's shadow")


@click.command("retire")
@click.argument("product")
@_why
def retire(product: str, why: str) -> None:
    """Let no version serve: every picture goes to a person until a new one is promoted.

    The gate compares the next one with the one that is retired here; `rollback` brings it back.
    """
    from db import products
    from db.models import deployments
    from db.session import transaction

    engine = opened()
    products.require(engine, product)
    with transaction(engine) as connection:  # whatever serves: the safe side needs no comparison
        deployments.retire(connection, product, by=os_user(), why=why)
    click.echo(f"{product} has no model now; its pictures go to review")


@click.command("zero-shot")
@click.argument("product")
@click.option("--promote", "serve", is_flag=True, help="Put it to work, if it passes the gate.")
def zero_shot(product: str, serve: bool) -> None:
    """Make a model from the product's prompts alone: no picture needs a label.

    It proposes a class for each part, and people decide: nothing says yet how often it is right.
    Loads CLIP's text encoder. Training while labels are few blends them into this model.
    """
    from db import products
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from training.promotion import Wish, promote
    from training.prompts import make_zero_shot
    from training.spaces.framing import champion_framing
    from vision.extractor import FeatureExtractor
    from vision.framing import next_framing

    settings, engine = get_settings(), opened()
    spec = products.require(engine, product)
    store = ModelStore(settings.models_url)
    framing = next_framing(spec, champion_framing(engine, product))
    extractor = FeatureExtractor.from_settings(settings).space(framing)
    manifest = make_zero_shot(engine, store, spec, extractor, settings)
    click.echo(f"{manifest.version}: {len(manifest.classes)} classes, from prompts alone")
    click.echo("it proposes classes and people decide, until labels make a model that is tested")
    if serve:
        wish = Wish.of_person(os_user(), "linewatch models zero-shot --promote")
        promote(engine, store, manifest.version, wish, settings=settings)
        click.echo(f"{manifest.version} now serves {product}")

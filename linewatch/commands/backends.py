"""`linewatch backends`: what runs the encoders, and which models may serve on it."""

from __future__ import annotations

import click

from linewatch.errors import ModelError
from linewatch.os_user import os_user


@click.group()
def command() -> None:
    """Show what runs the encoders; check that models judge alike on it."""


@command.command()
def show() -> None:
    """Load the encoders as a worker would, and say what runs them."""
    from linewatch.settings import get_settings
    from vision.extractor import FeatureExtractor

    extractor = FeatureExtractor.from_settings(get_settings())
    click.echo(f"{extractor.describe()}: {extractor.backend.describe()}")
    click.echo(f"features {extractor.fingerprint}")
    if extractor.fingerprint != extractor.reference:
        click.echo(f"  of    {extractor.reference} in float32")


@command.command()
@click.argument("product")
@click.option("--model", "version", help="Another version than the product's champion.")
@click.option(
    "--images",
    default=1000,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many of them, the newest.",
)
def check(product: str, version: str | None, images: int) -> None:
    """Measure whether PRODUCT's model judges alike on the precision that is set.

    The newest pictures whose features are stored are read again and judged both ways. The model
    may serve where 99.5 % keep their class and the share for review moves by 1 point at most.
    """
    from db.models import deployments, versions
    from db.session import default_engine
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from training.precision.check import check as check_model
    from training.spaces import feature_spaces
    from vision.extractor import FeatureExtractor

    settings, engine = get_settings(), default_engine()
    version = version or deployments.champion(engine, product)
    info = None if version is None else versions.get(engine, version)
    if info is None or info.product != product:
        raise ModelError(f"{product} has no model {version or 'in service'}; see `models list`")
    store = ModelStore(settings.models_url)
    model = store.load(product, info.version, manifest_sha256=info.manifest_sha256)
    extractor = feature_spaces.space_of(FeatureExtractor.from_settings(settings), model.manifest)
    if extractor.fingerprint == info.fingerprint:
        click.echo(f"{info.version} was fitted on these very features; nothing to check")
        return
    done = check_model(engine, model, extractor, settings, pictures=images, by=os_user())
    found = done.agreement
    click.echo(
        f"{info.version} on {extractor.backend.describe()}: {found.pictures} pictures, "
        f"{found.same_class:.2%} keep their class, review rate {found.review_shift * 100:+.2f} "
        f"points, newly passed {found.newly_passed:.2%}, least cosine {found.least_cosine:.5f}"
    )
    if done.unreadable:
        click.echo(f"{done.unreadable} pictures could not be read again", err=True)
    click.echo(f"stored {done.added} labelled pictures' features in this precision")
    if not found.holds:
        raise ModelError(
            f"{info.version} may not serve on {extractor.backend.describe()}; keep the precision "
            "it was fitted on, or train a new version on features of this one"
        )
    click.echo("it may serve")

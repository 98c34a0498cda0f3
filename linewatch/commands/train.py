"""`linewatch train`."""

from __future__ import annotations

import click


@click.command()
@click.argument("product")
@click.option("--promote", is_flag=True, help="Put the new version to work at once.")
def command(product: str, promote: bool) -> None:
    """Train a new model version from the labels, now.

    Cross-validates, fits on all labels, and stores the version; `linewatch models promote` puts
    it to work.
    """
    import getpass

    from db import deployments
    from db.session import engine_for
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from workers.retraining import retrain

    settings = get_settings()
    engine = engine_for(settings.sql_url)
    result = retrain(
        engine, ModelStore(settings.models_url), product, trigger="command", settings=settings
    )
    if result is None:
        raise click.ClickException(f"{product} is being retrained already")
    metrics = result.validation
    macro = "not scored" if metrics.macro_f1 is None else f"{metrics.macro_f1:.3f}"
    click.echo(f"{result.manifest.version}: accuracy {metrics.accuracy:.3f}, macro F1 {macro}")
    unscored = metrics.metrics.unscored
    if unscored:
        click.echo(
            f"too few labels to score: {', '.join(unscored)}; macro F1 with these counted as 0: "
            f"{metrics.metrics.macro_f1_with_unscored:.3f}"
        )
    if promote:
        version = result.manifest.version
        deployments.promote(
            engine, product, version, by=getpass.getuser(), why="linewatch train --promote"
        )
        click.echo(f"{version} now serves {product}")
    else:
        click.echo(f"promote it with: linewatch models promote {result.manifest.version}")

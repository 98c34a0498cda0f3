"""`linewatch train`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linewatch.commands._database import opened

if TYPE_CHECKING:
    from training.retraining import Retrained


@click.command()
@click.argument("product")
@click.option("--promote", is_flag=True, help="Put it to work at once, if it passes the gate.")
@click.option("--few-shot", is_flag=True, help="Blend prompts and labels, however many there are.")
def command(product: str, promote: bool, few_shot: bool) -> None:
    """Train a new model version from the labels, now.

    Cross-validates, fits on all labels, stores the version and asks the gate about it;
    `linewatch models promote` puts it to work.
    """
    from linewatch.errors import ModelError
    from linewatch.os_user import os_user
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from training.promotion import Wish
    from training.retraining import retrain

    settings = get_settings()
    wish = Wish.of_person(os_user(), "linewatch train --promote") if promote else None
    result = retrain(
        opened(),
        ModelStore(settings.models_url),
        product,
        trigger="command",
        settings=settings,
        wish=wish,
        few_shot=few_shot,
        on_progress=lambda stage, share: click.echo(f"{share:4.0%} {stage}", err=True),
    )
    if result is None:
        raise click.ClickException(f"{product} is being retrained already")
    version = result.manifest.version
    _tell(result)
    if result.promoted:
        click.echo(f"{version} now serves {product}")
    elif promote:
        raise ModelError(
            f"{version} is stored but not promoted, see the gate's reasons above; to promote it "
            f"all the same: linewatch models promote {version} --force --why REASON"
        )
    else:
        click.echo(f"promote it with: linewatch models promote {version}")


def _tell(result: Retrained) -> None:
    metrics, version = result.validation, result.manifest.version
    if metrics is None:
        click.echo(f"{version}: prompts and labels blended; too few labels to cross-validate")
    else:
        macro = "not scored" if metrics.macro_f1 is None else f"{metrics.macro_f1:.3f}"
        click.echo(f"{version}: accuracy {metrics.accuracy:.3f}, macro F1 {macro}")
        if metrics.metrics.unscored:
            click.echo(
                f"too few labels to score: {', '.join(metrics.metrics.unscored)}; macro F1 with "
                f"these counted as 0: {metrics.metrics.macro_f1_with_unscored:.3f}"
            )
    if result.copies is not None:
        click.echo(result.copies.words())
    if result.decision is not None:
        for reason in result.decision.reasons:
            click.echo(f"gate, {result.decision.outcome}: {reason}")

"""`linewatch train`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import click

from linewatch.commands._database import opened
from linewatch.commands._gate_words import gate_lines, promoted_by
from linewatch.commands._numbers import DAY_S, Number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from linewatch.settings import Settings
    from training.retraining import Retrained
    from vision.extractor import FeatureExtractor


@click.command()
@click.argument("product")
@click.option("--promote", is_flag=True, help="Put it to work at once, if it passes the gate.")
@click.option("--few-shot", is_flag=True, help="Blend prompts and labels, however many there are.")
@click.option(
    "--group-by",
    type=click.Choice(["part", "lot"]),
    help="What no split parts; default: LINEWATCH_GROUP_BY.",
)
@click.option(
    "--fit",
    type=click.Choice(["auto", "squash", "pad", "tiles", "crop"]),
    help="How pictures are brought to the encoders' square; auto: as a comparison finds.",
)
@click.option("--search", is_flag=True, help="Find the best kind of head, within the budget.")
@click.option(
    "--budget",
    type=Number(0, DAY_S, min_open=True),
    help="Seconds for --search; default: LINEWATCH_SEARCH_BUDGET_S.",
)
def command(
    product: str,
    promote: bool,
    few_shot: bool,
    group_by: str | None,
    fit: str | None,
    search: bool,
    budget: float | None,
) -> None:
    """Train a new model version from the labels, now.

    Cross-validates by part, fits on all labels, stores the version and asks the gate about it;
    `linewatch models promote` puts it to work. Where labelled pictures have no features in the fit
    that is wanted, it reads them again; where nobody said a fit and they are not square, it
    compares all fits first.
    """
    from db import products
    from linewatch.errors import ModelError
    from linewatch.os_user import os_user
    from linewatch.settings import get_settings
    from model_store.store import ModelStore
    from training.promotion import Wish
    from training.retraining import retrain
    from training.spaces.refit import Refit

    settings, engine = get_settings(), opened()
    if group_by is not None:
        settings = settings.model_copy(update={"group_by": group_by})
    if budget is not None:
        settings = settings.model_copy(update={"search_budget_s": budget})
    spec = products.require(engine, product)
    refit = Refit(engine, spec, settings, cache(lambda: _extractor(settings)), _say)
    framing = refit.settle(fit)  # type: ignore[arg-type]
    wish = Wish.of_person(os_user(), "linewatch train --promote") if promote else None
    result = retrain(
        engine,
        ModelStore(settings.models_url),
        product,
        trigger="command",
        settings=settings,
        wish=wish,
        few_shot=few_shot,
        search=search,
        framing=framing,
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
            f"all the same: {promoted_by(result.decision, version)}"
        )
    else:
        click.echo(f"promote it with: {promoted_by(result.decision, version)}")


def _extractor(settings: Settings) -> FeatureExtractor:
    from vision.extractor import FeatureExtractor

    return FeatureExtractor.from_settings(settings)


def _say(words: str) -> None:
    click.echo(words, err=True)


def _tell(result: Retrained) -> None:
    from model_store.verdicts.idle_rules import idle_rules

    for sentence in (*_quality(result), *_rules(result)):
        click.echo(sentence)
    idle = idle_rules(result.manifest.thresholds, result.manifest.classes)
    for warning in (*([result.split_note] if result.split_note else []), *idle):
        click.echo(f"warning: {warning}", err=True)
    if result.decision is not None:
        for line in gate_lines(result.decision):
            click.echo(line)


def _quality(result: Retrained) -> Iterator[str]:
    """What it learned from, and how well it did."""
    metrics, version = result.validation, result.manifest.version
    pictures, parts = result.manifest.image_counts, result.manifest.part_counts
    if parts is not None and parts != pictures:
        yield f"{version}: {_numbers(pictures, parts)}"
    if result.manifest.kind == "good-only":
        yield f"{version}: it passes what is like the good parts; people decide all else"
    elif metrics is None:
        yield f"{version}: prompts and labels blended; too few labels to cross-validate"
    else:
        macro = "not scored" if metrics.macro_f1 is None else f"{metrics.macro_f1:.3f}"
        yield f"{version}: accuracy {metrics.accuracy:.3f}, macro F1 {macro}"
        if metrics.metrics.unscored:
            yield (
                f"too few labels to score: {', '.join(metrics.metrics.unscored)}; macro F1 with "
                f"these counted as 0: {metrics.metrics.macro_f1_with_unscored:.3f}"
            )


def _rules(result: Retrained) -> Iterator[str]:
    """Which head was chosen, and what its rules cost and promise."""
    from model_store.heads.search import found_by
    from model_store.promise.words import in_full, unlike_good

    if result.copies is not None:
        yield result.copies.words()
    if result.search is not None:
        yield from found_by(result.search)
    if result.manifest.prompted:
        yield f"few labels, so prompts helped: {', '.join(result.manifest.prompted)}"
    yield from unlike_good(result.manifest)
    yield from in_full(result.manifest)


def _numbers(pictures: Mapping[str, int], parts: Mapping[str, int]) -> str:
    """How many pictures of how many parts; a part with two defects counts in both classes."""
    each = ", ".join(f"{name} {parts[name]} of {count}" for name, count in pictures.items())
    return f"parts of pictures, by class: {each}; no split parts a part"

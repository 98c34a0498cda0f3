"""What the shadow would have done better or worse, on the pictures that people labelled."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Engine

from db import products
from db.models import deployments
from db.models.shadow import ShadowPair, labelled_pairs
from model_store.gate.figures import Figures, Opinion, compare
from producer.contract import Verdict


def shadow_figures(
    engine: Engine,
    product: str,
    version: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Figures | None:
    """The gate's figures for champion and shadow; None while no such picture is labelled.

    Only pictures that the champion in force judged count. Neither had learned from them: they
    were judged when they came, and labelled afterwards.
    """
    champion, spec = deployments.champion(engine, product), products.get(engine, product)
    if champion is None or spec is None:
        return None
    pairs = labelled_pairs(engine, product, version, champion, since=since, until=until)
    if not pairs:
        return None
    old = Opinion(
        [pair.champion_choice for pair in pairs],
        [Verdict(pair.champion_verdict) for pair in pairs],
    )
    new = Opinion([_choice(pair) for pair in pairs], [Verdict(p.shadow_verdict) for p in pairs])
    return compare([pair.label for pair in pairs], old, new, good_class=spec.good_class)


def paired_lines(
    engine: Engine,
    product: str,
    version: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[str]:
    """The paired figures in words."""
    found = shadow_figures(engine, product, version, since=since, until=until)
    if found is None:
        yield "no picture that both judged is labelled yet; label some to see who is right"
        return
    old, new = found.champion, found.challenger
    low, high = found.macro_f1_interval
    yield (
        f"{found.pictures} labelled: accuracy {old['accuracy']:.3f} and {new['accuracy']:.3f}, "
        f"escapes {old['escapes']:.0f} and {new['escapes']:.0f}, "
        f"review {old['review_rate']:.1%} and {new['review_rate']:.1%}"
    )
    yield (
        f"right only by the champion {found.only_champion}, only by the shadow "
        f"{found.only_challenger}, exact McNemar p = {found.mcnemar_p:.3g}; macro F1 "
        f"{found.macro_f1_difference:+.3f} (95 % {low:+.3f} to {high:+.3f})"
    )


def _choice(pair: ShadowPair) -> str | None:
    shares = {name: share for name, share in pair.shadow_probabilities.items() if share is not None}
    return max(shares, key=shares.__getitem__) if shares else None

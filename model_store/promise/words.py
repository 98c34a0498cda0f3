"""What a model promises, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model_store.novelty.one_class import LEAST_PARTS
from model_store.promise.pass_score import BEYOND_ALL
from model_store.promise.promise import Promise

if TYPE_CHECKING:
    from model_store.manifest import ManifestDraft

PROPOSES = "proposes classes, people decide"
GOOD_ALONE = "provisional, made of good parts alone"


def is_provisional(manifest: ManifestDraft) -> bool:
    """Whether parts pass although the labels cannot promise the share of defects among them."""
    if manifest.kind == "good-only":
        return True
    promise = None if manifest.decisions is None else manifest.decisions.promise
    return promise is not None and not promise.proven and not _all_to_people(manifest)


def in_short(manifest: ManifestDraft) -> str | None:
    """As lists show it, such as "provisional, ≤ 14 % at 95 %"; None where nothing is promised."""
    if manifest.thresholds.proposes:
        return PROPOSES
    if manifest.kind == "good-only":
        return GOOD_ALONE
    promise = None if manifest.decisions is None else manifest.decisions.promise
    if promise is None:
        return None
    if not promise.proven and _all_to_people(manifest):
        return "unproven, nothing passes"
    bound = f"≤ {_percent(promise.upper_bound)} at {_percent(promise.confidence)}"
    return bound if promise.proven else f"provisional, {bound}"


def in_full(manifest: ManifestDraft) -> tuple[str, ...]:
    """The sentences that `train` prints; none where nothing is promised."""
    if manifest.thresholds.proposes:
        return (f"it {PROPOSES}: no label yet says how often it is right",)
    if manifest.kind == "good-only":
        return (f"{GOOD_ALONE}: no defect is labelled yet that could say how many of them pass",)
    promise = None if manifest.decisions is None else manifest.decisions.promise
    if promise is None:
        return ()
    return (_sentence(promise, _all_to_people(manifest)), *_by_class(promise))


def unlike_good(manifest: ManifestDraft) -> tuple[str, ...]:
    """What `train` says of the rule against parts unlike good: its cost, or why there is none."""
    if manifest.unlike_good is not None:
        patches = () if manifest.patches is None else (manifest.patches.words(),)
        return (manifest.unlike_good.words(), *patches)
    good = (manifest.part_counts or manifest.image_counts).get(manifest.good_class or "")
    if manifest.kind != "fitted" or not good or good >= LEAST_PARTS:
        return ()
    return (
        f"{good} good parts are too few to tell what is unlike them: with {LEAST_PARTS}, parts "
        "that are will not pass",
    )


def _sentence(promise: Promise, all_to_people: bool) -> str:
    sure = f"with {_percent(promise.confidence)} confidence"
    bound = f"at most {_percent(promise.upper_bound)} of {_of_what(promise)} {sure}"
    counted = f"{promise.escapes} of {promise.counted} in cross-validation"
    if promise.proven:
        return f"promise: {bound} ({counted}); {_alone(promise)}"
    lack = (
        f"{promise.needed} {_unit(promise)} without an escape would promise "
        f"{_percent(promise.target)}; there are {promise.counted}"
    )
    if all_to_people:
        return f"unproven: {lack}; until then nothing passes without a person"
    return f"provisional: {bound} ({counted}); {lack}; {_alone(promise)}"


def _by_class(promise: Promise) -> tuple[str, ...]:
    """One line with every class, the one of which least is known first; none without classes."""
    rows = sorted(promise.classes, key=lambda row: (-row.upper_bound, row.class_code))
    figures = [
        f"{row.class_code} {_percent(row.upper_bound)} ({row.escapes} of {row.parts})"
        for row in rows
    ]
    return (f"escapes by class, at most: {', '.join(figures)}",) if figures else ()


def _all_to_people(manifest: ManifestDraft) -> bool:
    return (manifest.thresholds.alone_from or 0.0) >= BEYOND_ALL


def _of_what(promise: Promise) -> str:
    if promise.risk == "escapes":
        return "the defects pass"
    return "the parts judged alone are of another class"


def _unit(promise: Promise) -> str:
    return "defective parts" if promise.risk == "escapes" else "parts"


def _alone(promise: Promise) -> str:
    whose = "the good parts pass" if promise.risk == "escapes" else "the parts are judged alone"
    return f"{_percent(promise.alone)} of {whose}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.995 else "100 %"

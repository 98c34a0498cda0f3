"""How the head of a stored version was fitted: the gate fits it again without what it is asked."""

from __future__ import annotations

from collections.abc import Callable, Collection

from model_store.fitting.good_only import good_only_head
from model_store.heads.kinds import BEFORE, fit_of
from model_store.manifest import Kind, Manifest
from model_store.validation.folds import Fit


def fit_again(
    manifest: Manifest,
    kind: Kind | str,
    *,
    few_shot: Callable[[], Fit],
    prompted: Callable[[Fit, Collection[str]], Fit],
) -> Fit | None:
    """Fits a head as the version's was; None for one that learned from no label.

    Args:
        manifest: of the version.
        kind: of the version, as its row has it.
        few_shot: gives the fit of labels and prompts.
        prompted: gives a fit whose rare classes are helped by prompts.
    """
    if kind == "zero-shot":
        return None
    if kind == "few-shot":
        return few_shot()
    if kind == "good-only":
        return good_only_head
    even_with = manifest.good_class if manifest.weighting == "even" else None
    fit = fit_of(manifest.head or BEFORE, even_with)
    return prompted(fit, manifest.prompted) if manifest.prompted else fit

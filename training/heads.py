"""Which kind of head a run fits: as the settings say, as what serves, or the best of a search."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from db.models import deployments
from linewatch.errors import ModelError
from linewatch.settings import Settings
from model_store.folds import Fit, Numbers
from model_store.head_kinds import BEFORE, HeadKind, fit_of
from model_store.head_search import Search, search, searching
from model_store.store import ModelStore
from quality.arrays import Floats
from training.stored_model import stored_model

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HeadChoice:
    """A kind of head.

    Attributes:
        kind: fitted on all labels.
        check: what cross-validation fits; where the kind was searched for, it searches as well.
        search: what was tried, or None.
    """

    kind: HeadKind
    check: Fit
    search: Search | None = None


def serving_head(engine: Engine, store: ModelStore, product: str) -> HeadKind | None:
    """The kind of the model that serves a product; None where none does, or it cannot be read."""
    version = deployments.champion(engine, product)
    if version is None:
        return None
    try:
        manifest = stored_model(engine, store, version).manifest
    except ModelError as error:
        log.warning("%s: its head's kind is not known: %s", version, error)
        return None
    return (manifest.head or BEFORE) if manifest.kind == "fitted" else None


def choose_head(
    vectors: Floats,
    labels: Sequence[str],
    parts: Numbers,
    *,
    good_class: str | None,
    settings: Settings,
    serving: HeadKind | None,
    wanted: bool,
) -> HeadChoice:
    """Choose a kind.

    Args:
        vectors: float64 [n, d].
        labels: n class names.
        parts: int64 [n], the part of each picture.
        good_class: counts as much as all defects; or None.
        settings: name a kind, or leave it to what serves.
        serving: see `serving_head`.
        wanted: whether to search.
    """
    if not wanted:
        kind = settings.head if settings.head != "auto" else serving or BEFORE
        return HeadChoice(kind, fit_of(kind, good_class))
    budget_s, state = settings.search_budget_s, settings.random_state
    # Each fold of the cross-validation searches too: it gets its share of the budget.
    each_s = budget_s / (settings.folds + 1)
    found = search(
        vectors, labels, parts, even_with=good_class, budget_s=each_s, random_state=state
    )
    check = searching(good_class, budget_s=each_s, random_state=state)
    return HeadChoice(found.kind, check, found)

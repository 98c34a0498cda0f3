"""Which kind of head a run fits: as the settings say, as what serves, or the best of a search."""

from __future__ import annotations

from dataclasses import dataclass

from linewatch.settings import Settings
from model_store.fitting.labelled_pictures import LabelledPictures
from model_store.heads.kinds import BEFORE, HeadKind, fit_of
from model_store.heads.search import Search, search, searching
from model_store.validation.folds import Fit


@dataclass(frozen=True, slots=True)
class HeadChoice:
    """A kind of head.

    Attributes:
        kind: of head.
        fit: fits it on all labels.
        check: what cross-validation fits where that is not the seed's head to the last digit: the
            same, or where the kind was searched for, a search.
        search: what was tried, or None.
    """

    kind: HeadKind
    fit: Fit
    check: Fit | None
    search: Search | None = None


def choose_head(
    pictures: LabelledPictures,
    *,
    good_class: str | None,
    settings: Settings,
    serving: HeadKind | None,
    wanted: bool,
) -> HeadChoice:
    """Choose a kind.

    Args:
        pictures: to learn from.
        good_class: counts as much as all defects; or None.
        settings: name a kind, or leave it to what serves.
        serving: the kind of the model that serves, or None.
        wanted: whether to search.
    """
    if not wanted:
        kind = settings.head if settings.head != "auto" else serving or BEFORE
        fit = fit_of(kind, good_class)
        return HeadChoice(kind, fit, None if kind == BEFORE else fit)
    budget_s, state = settings.search_budget_s, settings.random_state
    # Each fold of the cross-validation searches too: it gets its share of the budget.
    each_s = budget_s / (settings.folds + 1)
    found = search(
        pictures.features,
        pictures.labels,
        pictures.parts,
        even_with=good_class,
        budget_s=each_s,
        random_state=state,
    )
    check = searching(good_class, budget_s=each_s, random_state=state)
    return HeadChoice(found.kind, fit_of(found.kind, good_class), check, found)

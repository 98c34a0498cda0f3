"""Kinds of head that may serve, and the search among them."""

from __future__ import annotations

import numpy as np
import pytest

from model_store.heads.fit import fit_head
from model_store.heads.head import Head, probabilities
from model_store.heads.kinds import HEAD_KINDS, HeadKind, fit_of
from model_store.heads.search import found_by, search, searching
from model_store.validation import crossval
from model_store.validation.folds import part_numbers

Pictures = tuple[np.ndarray, list[str], np.ndarray]  # type: ignore[type-arg]


def pictures(seed: int, *, per_class: int = 12, noise: float = 1.0, d: int = 40) -> Pictures:
    """Three classes along two columns, the rest noise; each picture a part of its own."""
    rng = np.random.default_rng(seed)
    names = [name for name in ("bad", "good", "worse") for _ in range(per_class)]
    rows = rng.normal(size=(len(names), d)) * noise
    rows[:, 0] += [4.0 * (name == "bad") for name in names]
    rows[:, 1] += [4.0 * (name == "worse") for name in names]
    return rows, names, part_numbers(None, len(names))


@pytest.mark.parametrize("kind", HEAD_KINDS)
def test_with_good_as_heavy_as_all_defects_its_share_does_not_matter(kind: HeadKind) -> None:
    """Four times as many good parts of the same kind move the verdicts on the border little."""
    vectors, names, _ = pictures(1, per_class=10, noise=0.7, d=6)
    more, more_names, _ = pictures(2, per_class=40, noise=0.7, d=6)
    good = np.asarray(more_names) == "good"
    grown = np.vstack([vectors, more[good]])
    labels = [*names, *["good"] * int(good.sum())]
    border = (vectors[:10].mean(axis=0) + vectors[10:20].mean(axis=0))[None] / 2

    def odds(even_with: str | None) -> float:
        heads = [
            fit_of(kind, even_with)(rows, told, part_numbers(None, len(told)))
            for rows, told in ((vectors, names), (grown, labels))
        ]
        shares = [probabilities(head, border)[0, 1] for head in heads]
        return abs(float(np.log(shares[1] / (1 - shares[1])) - np.log(shares[0] / (1 - shares[0]))))

    assert odds("good") < 0.5
    if kind == "lda":  # log(50 / 20) − log(10 / 20) is what its prior moves alone
        assert odds(None) > 1


def test_logistic_is_the_seeds() -> None:
    vectors, names, parts = pictures(3)
    ours, plain = fit_of("logistic", None)(vectors, names, parts), fit_head(vectors, names)
    assert (ours.coef == plain.coef).all()


def test_what_a_version_named_no_kind_for_is_cross_validated_to_the_last_digit() -> None:
    vectors, names, _ = pictures(4)
    plain = crossval.cross_validate(vectors, names)
    same = crossval.cross_validate(vectors, names, fit=fit_of("logistic", None))
    np.testing.assert_allclose(plain.probabilities, same.probabilities, atol=1e-9)
    other = crossval.cross_validate(vectors, names, fit=fit_of("lda", None))
    assert not np.allclose(plain.probabilities, other.probabilities, atol=1e-3)


def test_nested_folds_do_not_part_a_part() -> None:
    """With every picture taken twice, folds that part them prefer the weakest penalty."""
    vectors, names, _ = pictures(5, per_class=6, noise=4.0)
    twice, labels = np.repeat(vectors, 2, axis=0), list(np.repeat(names, 2))
    apart = fit_of("nested", None)(twice, labels, part_numbers(None, len(labels)))
    together = fit_of("nested", None)(twice, labels, np.repeat(np.arange(len(names)), 2))
    assert np.linalg.norm(together.coef) < np.linalg.norm(apart.coef)


def test_a_search_says_what_each_kind_gave() -> None:
    rows = pictures(6, noise=2.5)
    found = search(*rows)
    assert [one.kind for one in found.tried] == list(HEAD_KINDS)
    best = max(one.macro_f1 for one in found.tried if one.macro_f1 is not None)
    chosen = next(one for one in found.tried if one.kind == found.kind)
    assert chosen.macro_f1 is not None
    assert best - chosen.macro_f1 <= 0.01
    words = found_by(found)
    assert words[-1].startswith(f"chosen: {found.kind}, after ")
    assert f"macro F1 {chosen.macro_f1:.3f}" in "\n".join(words)


def test_of_equal_kinds_the_simplest() -> None:
    assert search(*pictures(7, noise=0.05, d=6)).kind == HEAD_KINDS[0]


def test_beyond_the_budget_nothing_is_begun() -> None:
    ticks = iter(range(0, 10_000, 10))
    found = search(*pictures(8), budget_s=5, clock=lambda: float(next(ticks)))
    assert found.tried[0].macro_f1 is not None
    assert {one.why_not for one in found.tried[1:]} == {"the budget of 5 s was spent"}
    assert found.kind == HEAD_KINDS[0]


def test_too_few_parts_to_choose_by() -> None:
    vectors, names, _ = pictures(9, per_class=4)
    found = search(vectors, names, np.repeat([0, 1, 2], 4))  # each class of one part
    assert found.kind == HEAD_KINDS[0]
    assert all("3 parts" in one.why_not for one in found.tried)


def test_what_a_fold_judges_does_not_choose_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def counted(vectors: np.ndarray, *rest: object, **more: object) -> object:  # type: ignore[type-arg]
        seen.append(len(vectors))
        return search(vectors, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr("model_store.heads.search.search", counted)
    vectors, names, _ = pictures(10, per_class=6, d=6)
    fit = searching(None, budget_s=60, random_state=1)
    found = crossval.cross_validate(vectors, names, fit=fit)
    assert seen == [12, 12, 12]
    assert isinstance(fit(vectors, names, part_numbers(None, len(names))), Head)
    assert found.tested.all()

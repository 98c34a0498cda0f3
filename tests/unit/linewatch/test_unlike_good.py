from __future__ import annotations

import numpy as np
import pytest

from linewatch.evaluation.unlike_good import Draw, Said, alone, auroc, drawn, peak_on_flaw, together

LABELS = np.array(["good"] * 30 + ["bent"] * 4 + ["cut"] * 6)


def test_a_draw_learns_from_good_ones_and_is_shown_all_others() -> None:
    draw = drawn(LABELS, "good", 20, seed=1)
    assert len(draw.seen) == 20
    assert sorted([*draw.seen, *draw.fresh, *draw.bad]) == list(range(40))
    assert set(LABELS[draw.seen]) == {"good"}
    assert draw.kinds.tolist() == ["bent"] * 4 + ["cut"] * 6
    assert draw.seen.tolist() == drawn(LABELS, "good", 20, seed=1).seen.tolist()
    assert draw.seen.tolist() != drawn(LABELS, "good", 20, seed=2).seen.tolist()


def test_auroc_is_the_chance_that_a_defect_scores_higher() -> None:
    rng = np.random.default_rng(0)
    good, bad = rng.integers(0, 9, 40).astype(float), rng.integers(3, 12, 25).astype(float)
    pairs = np.mean([1.0 if b > g else 0.5 if b == g else 0.0 for g in good for b in bad])
    assert auroc(good, bad) == pytest.approx(pairs)


def test_two_rules_share_the_rate() -> None:
    rng = np.random.default_rng(3)
    draw = Draw(np.arange(2000), np.arange(2000), np.arange(2), np.array(["a", "b"]))
    rules = [Said(*np.exp(rng.normal(size=(2, 2000))), np.array([99.0, 0.01])) for _ in range(2)]
    one, both = alone(rules[0], draw, 0.1), together(rules, draw, 0.1)
    assert one["good flagged"] == pytest.approx(0.1, abs=0.03)
    assert both["good flagged"] == pytest.approx(0.1, abs=0.03)
    assert (both["caught"], both["caught: a"], both["caught: b"]) == (0.5, 1, 0)


def test_a_peak_beside_the_flaw_counts_and_further_off_does_not() -> None:
    flaws = np.zeros((4, 5, 5), bool)
    flaws[:, 2, 2] = True
    maps = np.zeros((4, 25))
    for picture, place in enumerate([12, 6, 13, 14]):  # the flaw, a corner of it, beside, too far
        maps[picture, place] = 1
    assert peak_on_flaw(maps, flaws) == 0.75

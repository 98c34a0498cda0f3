"""Kappas and their errors, against the books, scikit-learn and statsmodels."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from sklearn.metrics import cohen_kappa_score

from quality.agreement.kappa import (
    cohens_kappa,
    fleiss_kappa,
    fleiss_null_error,
    kappa_of_table,
    standard_error_of_table,
)

ORACLES = Path(__file__).parents[1] / "oracles"
# Fleiss, Psychological Bulletin 76 (1971) 378-382: 30 patients by 6 psychiatrists, five diagnoses.
PATIENTS = (
    "00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 "
    "10050 11040 03300 10050 02031 00501 30012 51000 02040 10203 "
    "00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"
)
# The usual example of 10 subjects, 14 raters and 5 categories: kappa 0.210.
SUBJECTS = [
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
]  # fmt: skip
# Fleiss, Levin and Paik (2003), table 18.1: 100 subjects by two clinicians.
CLINICIANS = {
    ("psychotic", "psychotic"): 75, ("psychotic", "neurotic"): 1, ("psychotic", "organic"): 4,
    ("neurotic", "psychotic"): 5, ("neurotic", "neurotic"): 4, ("neurotic", "organic"): 1,
    ("organic", "organic"): 10,
}  # fmt: skip


def counted(rows: list[tuple[int, ...]]) -> list[dict[str, int]]:
    return [dict(zip("ABCDE", row, strict=True)) for row in rows]


def test_fleiss_patients() -> None:
    patients = counted([tuple(map(int, row)) for row in PATIENTS.split(" ")])
    found = fleiss_kappa(patients)
    assert found is not None
    assert found.value == pytest.approx(0.430, abs=5e-4)
    assert found.value / fleiss_null_error(patients) == pytest.approx(17.7, abs=0.05), "R's irr"


def test_ten_subjects_and_fourteen_raters() -> None:
    found = fleiss_kappa(counted(SUBJECTS))
    assert found is not None
    assert found.value == pytest.approx(0.210, abs=5e-4)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.21 < found.high


def test_two_clinicians() -> None:
    assert kappa_of_table(CLINICIANS) == pytest.approx(0.676, abs=5e-4)
    assert standard_error_of_table(CLINICIANS) == pytest.approx(0.087, abs=1e-3)


@pytest.mark.parametrize("case", json.loads((ORACLES / "statsmodels.json").read_text())["cases"])
def test_cohens_error_is_what_statsmodels_says(case: dict[str, object]) -> None:
    table = {
        (str(i), str(j)): count
        for i, row in enumerate(case["table"])  # type: ignore[arg-type, var-annotated]
        for j, count in enumerate(row)
        if count
    }
    assert kappa_of_table(table) == pytest.approx(case["kappa"], abs=1e-12)
    assert standard_error_of_table(table) == pytest.approx(case["standard_error"], abs=1e-12)


def test_cohens_kappa_is_what_scikit_learn_says() -> None:
    random = Random(3)
    for _ in range(30):
        one = [random.choice("abcc") for _ in range(40)]
        other = [said if random.random() < 0.6 else random.choice("abcd") for said in one]
        found = cohens_kappa([[pair] for pair in zip(one, other, strict=True)])
        assert found is not None
        assert found.value == pytest.approx(cohen_kappa_score(one, other), abs=1e-12)


def test_the_jackknife_is_about_the_books_error_where_parts_are_rated_once() -> None:
    parts = [[pair] for pair, count in CLINICIANS.items() for _ in range(count)]
    found = cohens_kappa(parts)
    assert found is not None
    assert found.standard_error == pytest.approx(standard_error_of_table(CLINICIANS), rel=0.05)
    assert found.low == pytest.approx(found.value - 1.96 * found.standard_error, abs=1e-4)


def test_saying_the_same_again_makes_nothing_surer() -> None:
    """Three trials that are copies of one tell what one tells."""
    once = [[pair] for pair, count in CLINICIANS.items() for _ in range(count)]
    thrice = [pairs * 3 for pairs in once]
    assert cohens_kappa(thrice) == pytest.approx(cohens_kappa(once))
    copied = {pair: 3 * count for pair, count in CLINICIANS.items()}
    assert standard_error_of_table(copied) < 0.6 * standard_error_of_table(CLINICIANS)


def test_fleiss_kappa_of_two_raters_by_its_definition() -> None:
    random = Random(8)
    pairs = [(random.choice("ab"), random.choice("abb")) for _ in range(60)]
    found = fleiss_kappa([Counter(pair) for pair in pairs])
    pooled = [said for pair in pairs for said in pair].count("a") / 120
    chance = pooled**2 + (1 - pooled) ** 2
    agreed = sum(one == other for one, other in pairs) / 60
    assert found is not None
    assert found.value == pytest.approx((agreed - chance) / (1 - chance))


def test_of_one_category_there_is_no_kappa() -> None:
    assert cohens_kappa([[("good", "good")]] * 9) is None
    assert fleiss_kappa([{"good": 3}] * 9) is None
    assert cohens_kappa([]) is None
    with pytest.raises(ValueError, match="there is no kappa"):
        standard_error_of_table({("a", "a"): 3})
    with pytest.raises(ValueError, match="there is no kappa"):
        fleiss_null_error([{"a": 3}])


def test_of_one_part_nobody_knows_how_sure_it_is() -> None:
    found = cohens_kappa([[("good", "bad"), ("bad", "bad")]])
    assert found is not None
    assert (found.standard_error, found.low, found.high) == (None, None, None)


@pytest.mark.parametrize("parts", [[{"a": 2}, {"a": 1, "b": 2}], [{"a": 1}, {"b": 1}], []])
def test_parts_must_be_rated_equally_often(parts: list[dict[str, int]]) -> None:
    with pytest.raises(ValueError, match="equally often, at least twice"):
        fleiss_kappa(parts)

"""Agreement beyond chance: Cohen's kappa of two, Fleiss' of many. Pure.

Intervals come from a jackknife over the parts, for the ratings of one part are not independent of
each other when it was rated several times (J. L. Fleiss and M. Davies, American Journal of
Epidemiology 115 (1982) 841-845).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from quality.intervals.wilson import Z_95

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Kappa:
    """A kappa; 1 is perfect agreement, 0 what chance gives.

    Attributes:
        standard_error: None where it cannot be told, as of one part.
        low: of the 95 % interval, at least -1.
        high: at most 1.
    """

    value: float
    standard_error: float | None
    low: float | None
    high: float | None


def cohens_kappa(parts: Sequence[Sequence[Pair]]) -> Kappa | None:
    """Of two appraisers, or of one against the reference.

    κ = (p_o − p_e) / (1 − p_e)   (J. Cohen, Educational and Psychological Measurement 20 (1960)
    37-46).

    Args:
        parts: for each part the pairs of what the two said of it, one a trial.

    Returns:
        None where both say one and the same thing of everything: no chance to compare with.
    """
    counts = [Counter(pairs) for pairs in parts]
    total = sum(counts, Counter[Pair]())
    value = kappa_of_table(total)
    if value is None:
        return None
    return _jackknifed(value, [kappa_of_table(total - one) for one in counts])


def kappa_of_table(table: Mapping[Pair, int]) -> float | None:
    """Cohen's kappa of a table that says how often each pair occurred; None as above."""
    n = sum(table.values())
    rows, columns = _margins(table)
    if n == 0 or len(rows | columns) < 2:
        return None
    observed = sum(count for (one, other), count in table.items() if one == other) / n
    chance = sum(rows[name] * columns[name] for name in rows) / n**2
    return (observed - chance) / (1 - chance)


def standard_error_of_table(table: Mapping[Pair, int]) -> float:
    """Of Cohen's kappa where every pair is of another part.

    Source: J. L. Fleiss, B. Levin and M. C. Paik, Statistical Methods for Rates and Proportions,
    3rd ed. (2003), 18.1: A, B and C of the large-sample variance.

    Raises:
        ValueError: the table has no kappa.
    """
    value, n = kappa_of_table(table), sum(table.values())
    if value is None:
        raise ValueError("both say one and the same thing of everything: there is no kappa")
    rows, columns = _margins(table)
    chance = sum(rows[name] * columns[name] for name in rows) / n**2
    a = b = 0.0
    for (one, other), count in table.items():
        if one == other:
            a += count / n * (1 - (rows[one] + columns[one]) / n * (1 - value)) ** 2
        else:
            b += count / n * ((columns[one] + rows[other]) / n) ** 2
    c = (value - chance * (1 - value)) ** 2
    return sqrt((a + (1 - value) ** 2 * b - c) / n) / (1 - chance)


def fleiss_kappa(parts: Sequence[Mapping[str, int]]) -> Kappa | None:
    """Of many raters, every part rated equally often.

    Source: J. L. Fleiss, Psychological Bulletin 76 (1971) 378-382.

    Args:
        parts: for each part how often each category was said of it.

    Returns:
        None where one and the same thing is said of everything.

    Raises:
        ValueError: parts were rated unequally often, or only once.
    """
    raters = {sum(part.values()) for part in parts}
    if len(raters) != 1 or min(raters) < 2:
        raise ValueError("Fleiss' kappa needs parts that are rated equally often, at least twice")
    m = raters.pop()
    agreeing = [sum(n * (n - 1) for n in part.values()) / (m * (m - 1)) for part in parts]
    total = sum((Counter(part) for part in parts), Counter[str]())
    value = _fleiss(sum(agreeing), total, len(parts))
    if value is None:
        return None
    others = [
        _fleiss(sum(agreeing) - one, total - Counter(part), len(parts) - 1)
        for one, part in zip(agreeing, parts, strict=True)
    ]
    return _jackknifed(value, others)


def fleiss_null_error(parts: Sequence[Mapping[str, int]]) -> float:
    """The standard error of Fleiss' kappa were there no agreement but chance; for the test of that.

    Source: Fleiss, Levin and Paik (2003), 18.3.

    Raises:
        ValueError: one and the same thing is said of everything.
    """
    m = sum(parts[0].values())
    total = sum((Counter(part) for part in parts), Counter[str]())
    shares = [count / (len(parts) * m) for count in total.values()]
    spread = sum(p * (1 - p) for p in shares)
    if spread == 0:
        raise ValueError("one and the same thing is said of everything: there is no kappa")
    skew = sum(p * (1 - p) * (1 - 2 * p) for p in shares)
    return sqrt(2 * (spread**2 - skew) / (len(parts) * m * (m - 1))) / spread


def _fleiss(agreeing: float, total: Counter[str], parts: int) -> float | None:
    said = sum(total.values())
    if parts == 0 or len(+total) < 2:
        return None
    chance = sum((count / said) ** 2 for count in total.values())
    return (agreeing / parts - chance) / (1 - chance)


def _margins(table: Mapping[Pair, int]) -> tuple[Counter[str], Counter[str]]:
    rows, columns = Counter[str](), Counter[str]()
    for (one, other), count in table.items():
        rows[one] += count
        columns[other] += count
    return +rows, +columns


def _jackknifed(value: float, without_one: Sequence[float | None]) -> Kappa:
    """With the standard error from the values without each part in turn (B. Efron 1982)."""
    known = [one for one in without_one if one is not None]
    n = len(known)
    if n < 2:
        return Kappa(value, None, None, None)
    mean = sum(known) / n
    error = sqrt((n - 1) / n * sum((one - mean) ** 2 for one in known))
    low, high = max(-1.0, value - Z_95 * error), min(1.0, value + Z_95 * error)
    return Kappa(value, error, low, high)

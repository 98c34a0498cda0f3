"""Scores of parts: a part passes only if each of its views does, so its worst view's is its own."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from model_store.promise.pass_score import BEYOND_ALL, log_odds
from quality.arrays import Floats

Flags = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]
Parts = Sequence[Hashable] | Numbers | None


class ScoredParts(NamedTuple):
    """Scores float64 [p] and flags bool [p] of parts, and int64 [n], the part of each picture."""

    scores: Floats
    bad: Flags
    number: Numbers


def log_odds_of(probabilities: Floats, chosen: Numbers | int) -> Floats:
    """`log_odds` of each row, float64 [n] from float [n, k]; `chosen` may differ by row."""
    columns = np.broadcast_to(np.asarray(chosen), len(probabilities)).tolist()
    rows = zip(probabilities.tolist(), columns, strict=True)
    return np.array([log_odds(row, column) for row, column in rows], np.float64)


def by_part(score: npt.ArrayLike, bad: npt.ArrayLike, part: Parts) -> ScoredParts:
    """Each part's worst score, and whether one of its views is bad.

    Args:
        score: float [n], of pictures.
        bad: bool [n].
        part: n names; None: each picture is a part.

    Raises:
        ModelError: lengths differ, or a score is not finite.
    """
    scores, flags = np.asarray(score, np.float64), np.asarray(bad, bool)
    names = range(len(scores)) if part is None else part
    if scores.ndim != 1 or flags.shape != scores.shape or len(names) != len(scores):
        raise ModelError(
            f"scores {scores.shape}, flags {flags.shape} and {len(names)} parts do not match"
        )
    if not np.isfinite(scores).all():
        raise ModelError("a score is not finite; such parts go to a person and promise nothing")
    seen: dict[Hashable, int] = {}
    number = np.array([seen.setdefault(name, len(seen)) for name in names], np.int64)
    worst, any_bad = np.full(len(seen), np.inf), np.zeros(len(seen), bool)
    np.minimum.at(worst, number, scores)
    np.logical_or.at(any_bad, number, flags)
    return ScoredParts(worst, any_bad, number)


def half_way_above(scores: Floats, border: float) -> float:
    """Half way from a score to the next higher part's; where there is none, beyond all.

    The border itself never reaches it, and a part need not be as good as the next one seen.
    """
    higher = scores[scores > border]
    if not higher.size:
        return BEYOND_ALL
    return max((border + float(higher.min())) / 2, float(np.nextafter(border, np.inf)))


def share_of(flags: Flags, of: Flags) -> float:
    """Which share of the parts `of` has the flag; 0 where there are none."""
    return float((flags & of).sum() / of.sum()) if of.any() else 0.0

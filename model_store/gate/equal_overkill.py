"""Two models at the same overkill: which lets more defects pass? Pure.

A model's escapes say little by themselves: any model has few at a strict threshold and many at a
loose one, and a challenger that stops fewer good parts must look careless beside a champion that
stops half of them. So each gets its own threshold, and both are compared where they stop the same
share of the good parts; or, the same curve read the other way, by the good parts that pass where
the same share of the defects does.

The overkill that they are compared at is the one that the escape target asks of them on average,
within bounds: beyond them, nearly all parts stopped or none, any two models look alike. The escapes
are means over half of it, it and half as much again, since a single threshold moves with single
parts.

The interval is that of a normal distribution, with the standard error of resampled parts (good and
defective ones apart, both models' verdicts of a part together) and two more defects in it, one for
each model, as D. G. Bonett and R. M. Price have it for paired proportions (Journal of Educational
and Behavioral Statistics 37 (2012) 479-488): models that agree on a hundred defects may yet differ
on the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from quality.arrays import Floats

Places = npt.NDArray[np.intp]

TARGET = 0.01  # the escape rate, where the plant asks for none
RESAMPLES = 400
OVERKILL = (0.02, 0.5)  # the least and most to compare at
_AROUND = (0.5, 1.0, 1.5)  # times it
_NUMBERS = 1_000_000  # that are drawn at once: 8 MB, and as much for each model's scores of them
_SURE = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True)
class EqualOverkill:
    """Champion and challenger, each with its own threshold.

    Attributes:
        defects, good: parts.
        target: the escape rate that is asked for.
        champion_passes, challenger_passes: share of the good parts that pass where at most the
            target's share of the defects does.
        overkill: share of the good parts stopped that both are compared at.
        champion, challenger: share of the defects that pass there.
        low, high: 95 % interval of challenger − champion.
    """

    defects: int
    good: int
    target: float
    champion_passes: float
    challenger_passes: float
    overkill: float
    champion: float
    challenger: float
    low: float
    high: float

    @property
    def difference(self) -> float:
        """Escapes that the challenger adds, of all defects."""
        return self.challenger - self.champion

    @property
    def error(self) -> float:
        """Standard error of the difference."""
        return (self.high - self.low) / (2 * _SURE)

    def at_most(self, sure: float) -> float:
        """The escapes that the challenger adds at most, one side, with this confidence."""
        return self.difference + NormalDist().inv_cdf(sure) * self.error

    def words(self) -> str:
        """For people."""
        return (
            f"at the same overkill of {self.overkill:.0%}, escapes of {self.defects} defective "
            f"parts {self.champion:.1%} to {self.challenger:.1%}, 95 % interval of the difference "
            f"{self.low:+.1%} to {self.high:+.1%}"
        )

    def enough(self, margin: float, sure: float) -> int | None:
        """About how many defects would show, this surely, that it adds fewer than `margin`.

        None where it seems to add as many or more.
        """
        room = margin - self.difference
        if room <= 0:
            return None
        spread = self.defects * (self.error**2 - _extra(self.defects))
        count, z = self.defects, NormalDist().inv_cdf(sure)
        while z**2 * (spread / count + _extra(count)) > room**2:
            count += max(1, count // 100)
        return count


def equal_overkill(
    champion: Floats,
    challenger: Floats,
    bad: npt.NDArray[np.bool_],
    *,
    target: float,
    random_state: int = 42,
) -> EqualOverkill | None:
    """Compare two models' scores of the same parts.

    Args:
        champion, challenger: float64 [n], a part's score; the higher, the likelier it passes.
        bad: bool [n], which parts are defective.
        target: share of the defects that may pass.
        random_state: of the resampling.

    Returns:
        None where good parts or defects are missing.
    """
    of_bad, of_good = np.flatnonzero(bad), np.flatnonzero(~bad)
    if not (len(of_bad) and len(of_good)):
        return None
    both = np.stack([champion, challenger])
    passes = [_passing(one[of_good], one[of_bad], target) for one in both]
    overkill = float(np.clip(1 - np.mean(passes), *OVERKILL))
    levels = overkill * np.asarray(_AROUND)
    found = _passed(both[:, None, of_bad], _borders(both[:, None, of_good], levels))[:, 0]
    rng = np.random.default_rng(random_state)
    borders = np.concatenate(
        [_borders(both[:, rows], levels) for rows in _drawn(of_good, rng)], axis=-1
    )
    old, new = np.zeros((2, RESAMPLES))
    done = 0
    for rows in _drawn(of_bad, rng):
        now = slice(done, done := done + len(rows))
        old[now], new[now] = _passed(both[:, rows], borders[..., now])
    error = float(np.sqrt(np.var(new - old) + _extra(len(of_bad))))
    middle = float(found[1] - found[0])
    return EqualOverkill(
        defects=len(of_bad),
        good=len(of_good),
        target=target,
        champion_passes=passes[0],
        challenger_passes=passes[1],
        overkill=overkill,
        champion=float(found[0]),
        challenger=float(found[1]),
        low=middle - _SURE * error,
        high=middle + _SURE * error,
    )


def _extra(defects: int) -> float:
    """What two more defects, one that escapes each model alone, add to the variance."""
    return 2 / (defects + 2) ** 2


def good_border(good: Floats, overkill: float) -> float:
    """The score that a part must exceed to pass, where a share `overkill` of good ones may not."""
    return float(np.quantile(good, overkill, method="higher"))


def _passing(good: Floats, defects: Floats, target: float) -> float:
    """The share of the good parts above all but the target's share of the defects."""
    allowed = min(int(target * len(defects)), len(defects) - 1)
    return float((good > np.sort(defects)[::-1][allowed]).mean())


def _drawn(parts: Places, rng: np.random.Generator) -> Iterator[Places]:
    """As many parts with replacement, `RESAMPLES` times, some draws [r, n] at a time.

    The draws are those that one call for all would make; of 100,000 parts these were 1 GB.
    """
    at_once = max(1, _NUMBERS // len(parts))
    for begin in range(0, RESAMPLES, at_once):
        yield rng.choice(parts, (min(at_once, RESAMPLES - begin), len(parts)))


def _borders(good: Floats, levels: Floats) -> Floats:
    """The levels' quantiles of good parts' scores, float64 [levels, m, r] from [m, r, n]."""
    return np.asarray(np.quantile(good, levels, axis=-1, method="higher"))


def _passed(defects: Floats, borders: Floats) -> Floats:
    """Mean share of defects above the borders, float64 [m, r] from [m, r, n] and theirs."""
    shares = [(defects > border[..., None]).mean(axis=-1) for border in borders]
    mean: Floats = np.mean(shares, axis=0)
    return mean

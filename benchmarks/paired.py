"""Fair comparison on a machine that is never quite quiet: take turns, and compare neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any, Generic, Protocol, TypeVar

from benchmarks import disturbance
from benchmarks.disturbance import Conditions, Snapshot
from benchmarks.intervals import Estimate, of_rates, ratio_of_pairs

Result = TypeVar("Result")


class Watch(Protocol):
    """Runs something, and says what else the machine did meanwhile."""

    def __call__(self, run: Callable[[], None]) -> Conditions: ...


@dataclass(frozen=True, slots=True)
class Turns(Generic[Result]):
    """What contenders reached in rounds that nothing disturbed.

    Args:
        results: each contender's, one a round, so that those of one round lie at one index.
        conditions: of every round, and whether it was kept.
    """

    results: Mapping[str, list[Result]]
    conditions: Sequence[tuple[Conditions, bool]]

    def __getitem__(self, name: str) -> list[Result]:
        return self.results[name]

    @property
    def thrown_out(self) -> int:
        """How many rounds were measured and not used."""
        return sum(not kept for _, kept in self.conditions)

    def rows(self, what: str) -> list[dict[str, Any]]:
        """A row a round, for the result file."""
        return [
            {"what": what, "round": number, **conditions.as_row(), "used": kept}
            for number, (conditions, kept) in enumerate(self.conditions, start=1)
        ]


def measured(run: Callable[[], None]) -> Conditions:
    """Run it on this machine, and look at the machine before and after."""
    before = Snapshot.now()
    run()
    return disturbance.between(before, Snapshot.now(), disturbance.load())


def interleave(
    contenders: Mapping[str, Callable[[], Result]],
    rounds: int,
    *,
    again: int | None = None,
    watch: Watch = measured,
) -> Turns[Result]:
    """Run every contender once a round, in turn; every second round in the opposite order.

    Args:
        contenders: by name.
        rounds: how many to keep.
        again: as in `in_rounds`.
        watch: as in `in_rounds`.
    """

    def run(names: Sequence[str]) -> dict[str, Result]:
        return {name: contenders[name]() for name in names}

    return in_rounds(list(contenders), run, rounds, again=again, watch=watch)


def in_rounds(
    names: Sequence[str],
    run: Callable[[Sequence[str]], Mapping[str, Result]],
    rounds: int,
    *,
    again: int | None = None,
    until: Callable[[Mapping[str, list[Result]]], bool] | None = None,
    at_most: int | None = None,
    watch: Watch = measured,
) -> Turns[Result]:
    """Run all contenders once a round; a round that was disturbed is thrown out and run again.

    Args:
        names: of the contenders.
        run: is given the names, in every second round in the opposite order; returns what each
            contender reached.
        rounds: how many to keep.
        again: how many more to try at most; as many as `rounds` unless said. If too few of all
            these are undisturbed, there are fewer results; if none is, the least disturbed is kept.
        until: what says of the results so far, by contender, that they are enough, where `rounds`
            need not be. It looks at how sure a figure is, never at whether it is the one hoped for.
        at_most: how many to keep where `until` never has enough; `rounds` unless said.
        watch: what sees whether a round was disturbed.
    """
    done: list[tuple[Mapping[str, Result], Conditions]] = []
    at_most = rounds if at_most is None else at_most
    most = at_most + (rounds if again is None else again)
    while len(done) < most:
        kept = [got for got, seen in done if not seen.disturbed]
        if len(kept) >= at_most:
            break
        if len(kept) >= rounds and (until is None or until(_by_name(names, kept))):
            break
        got: dict[str, Result] = {}
        order = names[:: 1 if len(done) % 2 == 0 else -1]

        def turn(order: Sequence[str] = order, got: dict[str, Result] = got) -> None:
            got.update(run(order))

        done.append((got, watch(turn)))
    keep = [not seen.disturbed for _, seen in done]
    if done and not any(keep):
        worst = [max(seen.steal, seen.foreign) for _, seen in done]
        keep[worst.index(min(worst))] = True
    results = _by_name(names, [got for (got, _), used in zip(done, keep, strict=True) if used])
    conditions = [(seen, kept) for (_, seen), kept in zip(done, keep, strict=True)]
    return Turns(results, conditions)


def _by_name(
    names: Iterable[str], rounds: Sequence[Mapping[str, Result]]
) -> dict[str, list[Result]]:
    return {name: [got[name] for got in rounds] for name in names}


def narrow(
    ours: Sequence[str], theirs: str, reach: float
) -> Callable[[Mapping[str, list[float]]], bool]:
    """Whether each of `ours` ÷ `theirs` has an interval that reaches no further than this.

    Args:
        ours, theirs: contenders.
        reach: from the interval's middle to its end, as a share: 0.02 is 2 %.
    """

    def enough(results: Mapping[str, list[float]]) -> bool:
        for name in ours:
            found = ratio_of_pairs(results[name], results[theirs])
            if found.low is None or found.high is None:
                return False
            if found.high > found.low * (1 + reach) ** 2:
                return False
        return True

    return enough


def ratio(turns: Turns[float], ours: str, theirs: str) -> dict[str, Any]:
    """ours ÷ theirs over the rounds that were kept, as result files hold it."""
    return as_row(ratio_of_pairs(turns[ours], turns[theirs]), turns)


def rate(turns: Turns[float], name: str) -> dict[str, Any]:
    """One contender's rate over the rounds that were kept, as result files hold it."""
    return as_row(of_rates(turns[name]), turns)


def as_row(estimate: Estimate, turns: Turns[Any]) -> dict[str, Any]:
    """An estimate from these rounds, as result files hold it."""
    return replace(estimate, thrown_out=turns.thrown_out).as_row()


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of `values` do not exceed, interpolated linearly (Hyndman-Fan 7).

    Raises:
        ValueError: there are no values, or `share` is not in [0, 1].
    """
    if not values or not 0 <= share <= 1:
        raise ValueError(f"no quantile {share} of {len(values)} values")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median with the lowest and the highest, as rows show it."""
    return {"median": median(values), "lowest": min(values), "highest": max(values)}

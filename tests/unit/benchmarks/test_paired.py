"""Statistics of the benchmarks."""

from __future__ import annotations

from collections.abc import Callable
from statistics import quantiles

import pytest

from benchmarks.disturbance import Conditions
from benchmarks.paired import interleave, quantile, spread
from benchmarks.scale import VARIABLE, again, rounds, scaled


def quiet(run: Callable[[], None]) -> Conditions:
    run()
    return Conditions(0.0, 0.0, 0.0)


def test_contenders_take_turns_and_swap_places() -> None:
    order: list[str] = []

    def runs(name: str) -> Callable[[], int]:
        return lambda: order.append(name) or len(order)

    turns = interleave({"a": runs("a"), "b": runs("b")}, rounds=3, watch=quiet)
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert turns.results == {"a": [1, 4, 5], "b": [2, 3, 6]}


def test_quantiles_are_those_of_the_standard_library() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 8.0, 7.0]
    expected = quantiles(values, n=20, method="inclusive")
    assert [quantile(values, share / 20) for share in range(1, 20)] == pytest.approx(expected)
    assert (quantile(values, 0), quantile(values, 1)) == (1.0, 8.0)
    assert quantile([3.0], 0.99) == 3.0


@pytest.mark.parametrize(("values", "share"), [([], 0.5), ([1.0], 1.5), ([1.0], -0.1)])
def test_a_quantile_of_nothing_is_refused(values: list[float], share: float) -> None:
    with pytest.raises(ValueError, match="no quantile"):
        quantile(values, share)


def test_a_row_shows_median_and_range() -> None:
    assert spread([3.0, 1.0, 2.0]) == {"median": 2.0, "lowest": 1.0, "highest": 3.0}


def test_the_scale_shortens_and_leaves_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert scaled(100) == 100
    monkeypatch.setenv(VARIABLE, "0.1")
    assert (scaled(100), scaled(3), scaled(3, least=5)) == (10, 2, 5)


def test_a_quick_run_has_enough_rounds_for_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert rounds(quick=True) >= 5
    assert rounds(quick=False) > rounds(quick=True)
    assert again(quick=True) < again(quick=False)


def test_decoders_are_compared_round_by_round() -> None:
    from benchmarks.benches.decode import per_round

    decode, resize = [1.0, 2.0, 9.0, 5.0, 6.0, 7.0], [1.0] * 6  # three files, two rounds
    assert per_round(decode, resize, files=3) == [3.0, 7.0]

"""Control charts from counted parts: subgroups, baselines, signals and reactions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from db import alerts, audit
from db.base import table_of
from db.charts.baselines import FrozenBaseline, every_baseline, freeze, in_force, proposed
from db.charts.chart import Chart
from db.charts.signals import react, signals
from db.charts.subgroups import Subgroups, subgroups
from db.charts.view import ChartView, chart_view
from db.charts.watch import watch
from db.session import reading, transaction
from db.tables import ChartReaction
from linewatch.errors import ChartError, ReportError
from quality.charts.attribute_charts import Kind, Subgroup
from tests.support.charts import (
    MONDAY,
    SHIFT,
    STEADY,
    ShiftParts,
    a_product,
    after,
    steady,
    store_all,
)
from tests.support.committed import committed

CHART = Chart("cable")
NOW = datetime(2026, 5, 1, tzinfo=UTC)
END = MONDAY + len(STEADY) * SHIFT


def found(engine: Engine, chart: Chart, *range_: datetime | None, now: datetime = NOW) -> Subgroups:
    since, until = range_ or (None, None)
    with reading(engine) as connection:
        return subgroups(connection, chart, since, until, timezone=UTC, now=now)


def viewed(engine: Engine, chart: Chart = CHART, since: datetime | None = None) -> ChartView:
    return chart_view(engine, chart, since, None, timezone=UTC, now=NOW)


def frozen(engine: Engine, chart: Chart = CHART, **more: Any) -> FrozenBaseline:
    said = {"by": "ann", "why": "a good week", "timezone": UTC, "now": NOW, **more}
    until = said.pop("until", END)
    return committed(engine, freeze, proposed(engine, chart, None, until, **said))


def open_alerts(engine: Engine) -> list[str]:
    return [one.message for one in alerts.open_alerts(engine) if one.kind == "chart"]


def names_of(view: ChartView) -> list[tuple[str, list[str]]]:
    return [(one.name, [r.code for r in one.signals]) for one in view.points if one.signals]


def test_subgroups_by_shift_hour_lot_and_parts(engine: Engine) -> None:
    parts = steady(STEADY[:3]) + steady((40,), line="L2")
    store_all(engine, parts)
    line = {"line": "L1"}
    by_shift = found(engine, Chart("cable", **line))
    assert [(one.name, one.starts, one.counts) for one in by_shift.whole] == [
        ("2026-02-02 early", MONDAY, Subgroup(100, 9)),
        ("2026-02-02 late", MONDAY + SHIFT, Subgroup(100, 12)),
        ("2026-02-02 night", MONDAY + 2 * SHIFT, Subgroup(100, 8)),
    ]
    assert found(engine, CHART).whole[0].counts == Subgroup(200, 49), "all lines together"
    first, *_, last = found(engine, Chart("cable", by="hour", **line)).whole
    assert (first.name, first.counts) == ("2026-02-02T06:00Z", Subgroup(13, 9))
    assert (last.name, last.ends) == ("2026-02-03T05:00Z", MONDAY + timedelta(days=1))
    lots = found(engine, Chart("cable", by="lot", **line)).whole
    assert [(one.name, one.counts.nonconforming) for one in lots] == [
        ("A000", 9),
        ("A001", 12),
        ("A002", 8),
    ]
    by_parts = found(engine, Chart("cable", by="n", n=120, **line))
    assert by_parts.left_out == 1
    assert [one.counts for one in by_parts.whole] == [Subgroup(122, 21), Subgroup(122, 8)]


def test_only_subgroups_that_are_whole_and_over_have_points(engine: Engine) -> None:
    store_all(engine, steady(STEADY[:4]))
    within = found(engine, CHART, MONDAY + timedelta(hours=1), MONDAY + 3.5 * SHIFT)
    assert [one.name for one in within.whole] == ["2026-02-02 late", "2026-02-02 night"]
    assert within.left_out == 2
    now = MONDAY + 2.5 * SHIFT
    assert len(found(engine, CHART, now=now).whole) == 2
    by_lot = Chart("cable", by="lot")
    assert [one.name for one in found(engine, by_lot, MONDAY + SHIFT / 2, None).whole] == [
        "A001",
        "A002",
        "A003",
    ]
    assert [one.name for one in found(engine, by_lot, now=END - 15 * SHIFT).whole] == [
        "A000",
        "A001",
    ]


def test_a_class_alone_and_one_that_left_the_product(engine: Engine) -> None:
    a_product(engine, "bent", "cut")
    both = [ShiftParts(0, 10), ShiftParts(1, 10, bad="bent+cut")]
    store_all(engine, [*both, ShiftParts(2, 10, bad="cut", open_=3)])
    of_class = found(engine, Chart("cable", class_code="bent"))
    assert [one.counts for one in of_class.whole] == [
        Subgroup(100, 10),
        Subgroup(100, 10),
        Subgroup(100, 0, 3),
    ]
    with pytest.raises(ReportError, match="no class is called 'bend'; did you mean 'bent'"):
        found(engine, Chart("cable", class_code="bend"))
    a_product(engine, "cut")
    view = viewed(engine, Chart("cable", class_code="bent"))
    assert "bent is no class of cable any more: nothing new is raised" in view.notes
    with pytest.raises(ChartError, match="bent is no class of cable any more"):
        frozen(engine, Chart("cable", class_code="bent"))
    assert len(view.points) == 3


def test_a_baseline_is_frozen_by_a_person_and_never_changed(engine: Engine) -> None:
    store_all(engine, steady())
    first = frozen(engine)
    assert (first.baseline.kind, first.baseline.subgroups, first.baseline.parts) == (
        Kind.P,
        20,
        2000,
    )
    assert first.baseline.rate == pytest.approx(0.1)
    assert (first.from_at, first.to_at) == (MONDAY, END)
    assert first.arl is not None
    assert 100 < first.arl < 400
    second = frozen(engine, rule_set="nelson", kind=Kind.LANEY, why="another rule set")
    with reading(engine) as connection:
        assert in_force(connection, CHART) == replaced(second)
        assert in_force(connection, Chart("cable", line="L1")) is None
    assert every_baseline(engine) == [replaced(second), replaced(first)]
    assert every_baseline(engine, "plug") == []
    deed = audit.newest(engine, 1)[0]
    assert (deed.actor, deed.action, deed.subject) == (
        "ann",
        "chart.freeze",
        "cable, all lines, by shift",
    )
    assert deed.detail["why"] == "another rule set"


def replaced(one: FrozenBaseline) -> FrozenBaseline:
    """As it is read again: why it is of its kind was said once."""
    from dataclasses import replace

    return replace(one, chosen="")


@pytest.mark.parametrize(
    ("parts", "more", "sentence"),
    [
        (steady(STEADY[:2]), {}, "cable, all lines, by shift: a baseline needs at least 20 .* 2"),
        ([], {}, "no product is called 'cable'"),
        (steady((100,) * 20), {}, "of 2000 parts all are nonconforming"),
        (steady((0,) * 20), {}, "of 2000 parts none is nonconforming"),
        (steady(), {"why": " "}, "say --why"),
        (
            [*steady(), ShiftParts(20, 10, open_=10)],
            {"until": None},
            "2026-02-08 night: subgroup 21 of 21 has 10 of 110 parts open",
        ),
        (steady(), {"left_out": ["2026-02-02 earl"]}, "did you mean '2026-02-02 early'"),
        (steady(), {"left_out": ["2026-02-02 early"]}, "needs at least 20 subgroups; there are 19"),
    ],
)
def test_what_is_no_baseline_is_said_in_a_sentence(
    engine: Engine, parts: list[Any], more: dict[str, Any], sentence: str
) -> None:
    if parts:
        store_all(engine, parts)
    with pytest.raises((ChartError, ReportError), match=sentence):
        frozen(engine, **more)
    assert every_baseline(engine) == []


def test_few_nonconforming_parts_a_subgroup_make_a_g_chart(engine: Engine) -> None:
    store_all(engine, steady([0, 1] * 10) + steady([1], first=23))
    assert frozen(engine).chosen.startswith("g chart: 0.5 nonconforming parts are expected")
    view = viewed(engine)
    assert view.kind is Kind.G
    assert [(one.name, one.value) for one in view.points] == [("2026-02-09T22:00Z 1", 1.0)]
    assert watch(engine, UTC, after(25)) == []
    store_all(engine, [*steady([0, 1] * 10), *steady([0] * 8 + [1], first=20)])
    (said,) = watch(engine, UTC, after(29))
    assert "2026-02-11T14:00Z 1: a point beyond 3 sigma (801 good parts" in said
    whole = viewed(engine, since=MONDAY)
    assert [one.value for one in whole.points][:3] == [101.0, 199.0, 199.0]


def test_a_signal_is_raised_once_and_kept(engine: Engine) -> None:
    store_all(engine, steady())
    baseline = frozen(engine)
    assert watch(engine, UTC, END + timedelta(minutes=10)) == []
    bad = [*steady(), *steady((25, 10), first=20)]
    store_all(engine, bad)
    assert watch(engine, UTC, after(21) - timedelta(minutes=50)) == [], "pictures may still come"
    (said,) = watch(engine, UTC, after(21))
    assert "cable, all lines, by shift: 2026-02-08 night: a point beyond 3 sigma" in said
    assert "25.00% nonconforming, limits 1.00% to 19.00%" in said
    assert open_alerts(engine) == [said]
    assert watch(engine, UTC, after(22)) == []
    (signal,) = signals(engine)
    assert (signal.rule, signal.value, signal.kind) == ("beyond_3", 0.25, Kind.P)
    assert names_of(viewed(engine)) == [("2026-02-08 night", ["beyond_3"])]

    store_all(engine, [*steady(), *steady((12, 10), first=20)])  # people decided otherwise
    view = viewed(engine)
    assert [(one.value, one.raised) for one in view.points] == [(0.12, ("beyond_3",)), (0.1, ())]
    assert names_of(view) == []
    assert signals(engine) == [signal]
    assert open_alerts(engine) == [said]
    assert view.frozen is not None
    assert view.frozen.id == baseline.id


def test_of_two_workers_one_raises(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    store_all(engine, steady())
    frozen(engine)
    store_all(engine, [*steady(), *steady((40,), first=20)])
    assert len(watch(engine, UTC, after(21))) == 1
    # The other one had looked before.
    monkeypatch.setattr("db.charts.watch.raised", lambda *_: frozenset())
    committed(engine, react, 1, "changed the blade", by="bob")
    assert watch(engine, UTC, after(21)) == []
    assert open_alerts(engine) == []
    assert len(signals(engine)) == 1


def test_a_subgroup_with_open_parts_that_matter_waits(engine: Engine) -> None:
    store_all(engine, steady())
    frozen(engine)
    # 18 of 100: inside. With the three open ones it may be 21 of 103, outside.
    store_all(engine, [*steady(), ShiftParts(20, 18, open_=3)])
    assert watch(engine, UTC, after(21)) == []
    assert [one.provisional for one in viewed(engine).points] == [True]
    store_all(engine, [*steady(), ShiftParts(20, 30, open_=40)])
    assert watch(engine, UTC, after(21)) == []
    store_all(engine, [*steady(), ShiftParts(20, 30, open_=3)])
    assert len(watch(engine, UTC, after(21))) == 1, "outside whatever becomes of them"


def test_nothing_is_raised_of_a_class_that_left(engine: Engine) -> None:
    a_product(engine, "bent")
    store_all(engine, steady())
    frozen(engine, Chart("cable", class_code="bent"))
    store_all(engine, [*steady(), *steady((50,), first=20)])
    a_product(engine, "cut")
    assert watch(engine, UTC, after(21)) == []
    a_product(engine, "bent")
    assert len(watch(engine, UTC, after(21))) == 1


def test_people_say_what_they_did(engine: Engine) -> None:
    store_all(engine, steady())
    frozen(engine)
    store_all(engine, [*steady(), *steady((40, 40), first=20)])
    assert len(watch(engine, UTC, after(22))) == 2
    second, first = signals(engine)
    committed(engine, react, first.id, "changed the blade", by="bob")
    committed(engine, react, first.id, "and its holder", by="cid")
    assert signals(engine, open_only=True) == [second]
    assert len(open_alerts(engine)) == 1
    assert "late" not in open_alerts(engine)[0]
    kept = next(one for one in signals(engine, "cable") if one.id == first.id)
    assert [(r.reacted_by, r.did) for r in kept.reactions] == [
        ("bob", "changed the blade"),
        ("cid", "and its holder"),
    ]
    with pytest.raises(ChartError, match="no signal has the number 99"):
        committed(engine, react, 99, "x", by="bob")
    with pytest.raises(ChartError, match="say what was done"):
        committed(engine, react, second.id, " ", by="bob")
    with transaction(engine) as connection:
        assert len(connection.execute(select(table_of(ChartReaction))).all()) == 2
    assert audit.newest(engine, 1)[0].action == "chart.react"


def test_trial_limits_before_there_is_a_baseline(engine: Engine) -> None:
    store_all(engine, steady(STEADY[:12]))
    view = viewed(engine)
    assert view.notes[0].startswith("trial limits, from the decided parts of these 12 subgroups")
    assert view.baseline is not None
    assert view.baseline.kind is Kind.P
    store_all(engine, steady(STEADY[:2]))
    view = viewed(engine)
    assert view.notes[0].startswith("2 subgroups say too little for limits")
    assert [(one.value, one.limits) for one in view.points] == [(0.09, None), (0.12, None)]
    store_all(engine, steady((100,) * 12))
    assert viewed(engine).notes[0] == "all of 1200 parts are nonconforming: there are no limits"
    view = viewed(engine, since=END)
    assert (view.notes[0], view.points) == ("no subgroup is over in this time", ())


def test_several_charts_and_one_that_cannot_be_looked_at(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    store_all(engine, steady())
    frozen(engine, Chart("cable", line="L1"))
    frozen(engine, Chart("cable", by="n", n=100))
    store_all(engine, [*steady(line="L2"), *steady((50,), first=20, line="L2")])
    said = watch(engine, UTC, after(21))
    assert "the chart of cable, line L1, by shift is not looked at: no line" in caplog.text
    assert len(said) == 1
    assert "all lines, by 100 parts" in said[0]

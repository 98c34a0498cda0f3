"""Reports about pictures against a count of every row, one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import combinations
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from db.inspections.hours import plant_hour
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.inspections.rolled_up import roll_hours
from db.models import deployments, runs, versions
from db.models.runs import ClassScore, ConfusionCount, RunMetrics
from db.models.versions import VersionInfo
from db.products import register
from db.reports import pictures
from db.reports.groups import Filters
from db.reports.shifts import DEFAULT_SHIFTS, Shift, set_shifts, shift_of
from db.session import reading
from linewatch.errors import ReportError
from linewatch.products import parse_product
from producer.contract import Verdict
from quality.intervals.wilson import wilson_interval
from tests.support.committed import committed
from tests.support.records import NOON, a_record, random_records

BERLIN = ZoneInfo("Europe/Berlin")
KOLKATA = ZoneInfo("Asia/Kolkata")


def keys_of(record: InspectionRecord, timezone: tzinfo) -> dict[str, str]:
    """Every group's value for one record, straight from the record."""
    local = record.decided_at.astimezone(timezone)
    hour = plant_hour(record.decided_at, timezone)
    return {
        "line": record.line or "",
        "camera": record.camera or "",
        "product": record.product or "",
        "lot": record.lot or "",
        "hour": hour.astimezone(timezone).isoformat(timespec="minutes"),
        "shift": shift_of(record.decided_at, DEFAULT_SHIFTS, timezone)[0],
        "day": local.date().isoformat(),
    }


def brute_force(
    records: list[InspectionRecord],
    by: tuple[str, ...],
    timezone: tzinfo,
    keep: Callable[[InspectionRecord], bool] = lambda _: True,
) -> dict[tuple[str, ...], Counter[str]]:
    counts: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for record in filter(keep, records):
        keys = keys_of(record, timezone)
        if "shift" in by:
            began = shift_of(record.decided_at, DEFAULT_SHIFTS, timezone)[1]
            keys["day"] = began.isoformat()
        counts[tuple(keys[name] for name in by)][str(record.verdict)] += 1
    return counts


def commit(engine: Engine, records: list[InspectionRecord], timezone: tzinfo) -> None:
    for start in range(0, len(records), 200):
        commit_inspections(engine, records[start : start + 200], timezone)
        roll_hours(engine)  # all that follows comes late


def reported(rows: list[pictures.PictureRate]) -> dict[tuple[str, ...], Counter[str]]:  # type: ignore[name-defined]
    return {
        tuple(row.group.values()): +Counter(
            {
                "pass": row.passed,
                "defect": row.defects,
                "review": row.review,
                "rejected": row.rejected,
                "dead_letter": row.dead_letter,
            }
        )
        for row in rows
    }


@pytest.mark.parametrize("timezone", [UTC, BERLIN, KOLKATA], ids=str)
def test_every_grouping_equals_a_recount(engine: Engine, timezone: tzinfo) -> None:
    records = random_records(5, 600, days=4)
    commit(engine, records, timezone)
    names = ("line", "product", "lot", "hour", "shift", "day")
    pairs = [("line", "camera"), ("line", "camera", "shift")]
    groupings = [*((name,) for name in names), *combinations(names, 2), *pairs]
    for by in groupings:
        found = pictures.picture_rates(engine, Filters(), by, timezone)
        assert reported(found) == brute_force(records, by, timezone), by


@pytest.mark.parametrize(
    ("fields", "keep"),
    [
        ({"line": "L1"}, lambda r: r.line == "L1"),
        ({"camera": "C2"}, lambda r: r.camera == "C2"),
        ({"product": "plug"}, lambda r: r.product == "plug"),
        ({"lot": "A", "line": "L2"}, lambda r: r.lot == "A" and r.line == "L2"),
    ],
)
def test_filters_narrow(
    engine: Engine, fields: dict[str, str], keep: Callable[[InspectionRecord], bool]
) -> None:
    records = random_records(6, 400)
    commit(engine, records, UTC)
    found = pictures.picture_rates(engine, Filters(**fields), ("line", "day"), UTC)
    assert reported(found) == brute_force(records, ("line", "day"), UTC, keep)


def test_times_are_rounded_to_whole_plant_hours(engine: Engine) -> None:
    records = random_records(8, 600, days=2)
    commit(engine, records, KOLKATA)
    since, until = NOON + timedelta(hours=5, minutes=10), NOON + timedelta(hours=30, minutes=50)
    first, end = plant_hour(since, KOLKATA), plant_hour(until, KOLKATA) + timedelta(hours=1)
    found = pictures.picture_rates(engine, Filters(since=since, until=until), ("line",), KOLKATA)
    expected = brute_force(records, ("line",), KOLKATA, lambda r: first <= r.decided_at < end)
    assert reported(found) == expected
    assert first == NOON + timedelta(hours=5)  # half past in UTC: the plant's full hour
    exact = Filters(since=first, until=end)
    assert pictures.picture_rates(engine, exact, ("line",), KOLKATA) == found


def test_the_hour_that_comes_twice_is_two_rows_and_one_day(engine: Engine) -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in summer time
    times = [first, first + timedelta(hours=1)]
    commit(engine, [a_record(decided_at=at) for at in times], BERLIN)
    hours = [
        row.group["hour"] for row in pictures.picture_rates(engine, Filters(), ("hour",), BERLIN)
    ]
    assert hours == ["2026-10-25T02:00+01:00", "2026-10-25T02:00+02:00"]
    (day,) = pictures.picture_rates(engine, Filters(), ("day",), BERLIN)
    assert (day.group, day.passed) == ({"day": "2026-10-25"}, 2)


def test_a_night_shift_is_one_row_beside_its_day(engine: Engine) -> None:
    evening = datetime(2026, 1, 9, 22, 30, tzinfo=UTC)
    commit(engine, [a_record(decided_at=evening + timedelta(hours=h)) for h in range(8)], UTC)
    rows = pictures.picture_rates(engine, Filters(), ("day", "shift"), UTC)
    assert [(row.group, row.inspected) for row in rows] == [
        ({"day": "2026-01-09", "shift": "night"}, 8)
    ]
    committed(engine, set_shifts, [Shift("a", 0, 12), Shift("b", 12, 24)])
    rows = pictures.picture_rates(engine, Filters(), ("shift",), UTC)
    assert {row.group["shift"]: row.inspected for row in rows} == {"a": 6, "b": 2}


def test_rates_and_their_interval(engine: Engine) -> None:
    verdicts = [Verdict.PASS] * 6 + [Verdict.DEFECT] * 2 + [Verdict.REVIEW] * 2
    verdicts += [Verdict.REJECTED] * 3 + [Verdict.DEAD_LETTER]
    commit(engine, [a_record(verdict=verdict) for verdict in verdicts], UTC)
    (row,) = pictures.picture_rates(engine, Filters(), (), UTC)
    assert row.cells() == {
        "inspected": 10,
        "passed": 6,
        "defects": 2,
        "review": 2,
        "rejected": 3,
        "dead_letter": 1,
        "defect_rate": 0.25,
        "defect_rate_low": wilson_interval(2, 8)[0],  # type: ignore[index]
        "defect_rate_high": wilson_interval(2, 8)[1],  # type: ignore[index]
        "review_rate": 0.2,
    }


def test_nothing_inspected_has_no_rate(engine: Engine) -> None:
    (row,) = pictures.picture_rates(engine, Filters(), (), UTC)
    assert (row.inspected, row.defect_rate, row.interval, row.review_rate) == (0, None, None, None)
    assert pictures.picture_rates(engine, Filters(), ("line",), UTC) == []


def test_cameras_of_two_lines_with_one_name_stay_apart(engine: Engine) -> None:
    commit(engine, [a_record(line="L1"), a_record(line="L2")], UTC)
    rows = pictures.picture_rates(engine, Filters(), ("camera",), UTC)
    assert [row.group for row in rows] == [
        {"line": "L1", "camera": "C1"},
        {"line": "L2", "camera": "C1"},
    ]


@pytest.mark.parametrize("name", ["line", "camera", "product", "lot"])
def test_a_name_that_no_picture_has_is_refused(engine: Engine, name: str) -> None:
    classes = [{"code": "good", "good": True}, {"code": "bent_wire"}]
    committed(engine, register, parse_product({"product": "cable", "classes": classes}, "a test"))
    commit(engine, [a_record()], UTC)
    known = {"line": "L1", "camera": "C1", "product": "cable", "lot": "LOT-1"}[name]
    for report in (pictures.model, lambda *args: pictures.picture_rates(*args[:2], (), UTC)):
        with pytest.raises(ReportError, match=f"no {name} is called '{known}0'.*{known}"):
            report(engine, Filters(**{name: f"{known}0"}), UTC)
        long_ago = datetime(2000, 1, 1, tzinfo=UTC)
        report(engine, Filters(until=long_ago, **{name: known}), UTC)  # it is there


def test_an_unknown_group_is_refused(engine: Engine) -> None:
    with pytest.raises(ReportError, match="'colour'; choose from line"):
        pictures.picture_rates(engine, Filters(), ("colour",), UTC)


def add_model(engine: Engine, version: str, number: int) -> None:
    run = committed(engine, runs.start_run, "cable", "test", 60)
    assert run is not None
    info = VersionInfo(
        version=version,
        product="cable",
        number=number,
        fingerprint="f" * 64,
        encoders="compact",
        manifest_sha256=str(number) * 64,
        created_at=NOON,
        training_run_id=run,
    )
    committed(engine, versions.add_version, info)
    metrics = RunMetrics(
        0.8,
        0.7,
        0.75,
        [
            ClassScore("good", 0.9, 0.8, 0.85, 10 * number),
            ClassScore("rare", None, None, None, 2, False),
        ],
        [ConfusionCount("good", "good", 8), ConfusionCount("good", "rare", 2)],
    )
    committed(engine, runs.finish, run, metrics=metrics, image_count=12, model_version=version)


def test_classes_are_the_champion_s(engine: Engine) -> None:
    add_model(engine, "cable-1", 1)
    add_model(engine, "cable-2", 2)
    assert pictures.classes(engine) == []
    committed(engine, deployments.promote, "cable", "cable-1", by="ann", why="first")
    committed(engine, deployments.promote, "cable", "cable-2", by="ann", why="better")
    committed(engine, deployments.set_shadow, "cable", "cable-1", by="ann", why="compare")
    good, rare = pictures.classes(engine, "cable")
    assert (good.model_version, good.class_code, good.f1, good.support) == (
        "cable-2",
        "good",
        0.85,
        20,
    )
    assert (rare.scored, rare.f1, rare.support) == (False, None, 2)
    assert (good.scored, good.scored is True) == (True, True)
    with pytest.raises(ReportError, match="no product is called 'plug'"):
        pictures.classes(engine, "plug")
    committed(engine, deployments.rollback, "cable", by="ann", why="worse")
    assert {row.model_version for row in pictures.classes(engine)} == {"cable-1"}
    committed(engine, deployments.retire, "cable", by="ann", why="none good enough")
    assert pictures.classes(engine) == []


def test_model_says_who_judged_what(engine: Engine) -> None:
    records = random_records(4, 300)
    commit(engine, records, UTC)
    add_model(engine, "cable-1", 1)
    committed(engine, deployments.promote, "cable", "cable-1", by="ann", why="first")
    expected = Counter(
        (record.product or "", record.model_version or "", str(record.verdict))
        for record in records
        if record.verdict.judged
    )
    rows = pictures.model(engine, Filters(), UTC)
    found: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        rate = row.rate
        for verdict, count in (
            ("pass", rate.passed),
            ("defect", rate.defects),
            ("review", rate.review),
        ):
            found[row.product, row.model_version, verdict] += count
        judged = [
            record.decided_at
            for record in records
            if (record.product or "", record.model_version or "")
            == (row.product, row.model_version)
            and record.verdict.judged
        ]
        assert row.first_hour == plant_hour(min(judged), UTC)
        assert row.last_hour == plant_hour(max(judged), UTC)
    assert +found == expected
    serving = [row for row in rows if row.champion]
    assert [(row.product, row.model_version, row.encoders) for row in serving] == [
        ("cable", "cable-1", "compact")
    ]


def test_the_views_say_what_the_reports_say(engine: Engine) -> None:
    records = random_records(2, 400)
    commit(engine, records, UTC)
    totals = (
        "SELECT line, SUM(inspected), SUM(passed), SUM(defects), SUM(review), SUM(rejected),"
        " SUM(dead_letter) FROM report_defect_rate_hourly GROUP BY line ORDER BY line"
    )
    pareto = "SELECT defect_class, SUM(defects) FROM report_pareto GROUP BY defect_class"
    single = "SELECT defects, passed, defect_rate FROM report_defect_rate_hourly"
    with reading(engine) as connection:
        rows = [tuple(row) for row in connection.execute(text(totals))]
        classes = {code: int(count) for code, count in connection.execute(text(pareto))}
        rates = connection.execute(text(single)).all()
    assert rows == [
        (r.group["line"], r.inspected, r.passed, r.defects, r.review, r.rejected, r.dead_letter)
        for r in pictures.picture_rates(engine, Filters(), ("line",), UTC)
    ]
    assert classes == Counter(r.defect_class for r in records if r.verdict is Verdict.DEFECT)
    assert any(rate is None for *_, rate in rates)
    for defects, passed, rate in rates:
        assert rate == (pytest.approx(defects / (defects + passed)) if defects + passed else None)

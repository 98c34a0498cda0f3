"""How long each report takes on 10 million pictures of 4 million parts, and by which plans.

The history is 400 days of four lines, made in SQL (`benchmarks/history`).
A report is timed whole, Python included, at its second call and after: the lowest quarter of the
calls, since others may use the machine. Each range ends inside a shift, so both its ends are read
from quarter hours. The same ranges are asked again of ten weeks of the same plant: there a report
of one length of time should cost the same. Plans are looked through for tables of facts that are
read from end to end, and for compilation (JIT). Each report's slowest range and grouping comes
first in the table. Hours are asked for up to four weeks, which is what a table shows.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from benchmarks.history.databases import TEN_WEEKS, about, filled
from benchmarks.history.plans import faults, watched
from benchmarks.history.report_calls import CHART, Call, calls
from benchmarks.intervals import of_rates, ratio_of_pairs
from benchmarks.paired import quantile
from benchmarks.report import Findings
from benchmarks.scale import scaled
from benchmarks.workplace import Workplace, say
from db.base import table_of
from db.session import engine_for, reading
from db.tables import Part

_TIMES = 7  # a report is called
_LIMIT_MS = 100  # of a report's queries
_FIXED = ("1 shift", "1 week")  # ranges that both histories have


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Measure every report on a long history, and some on a short one."""
    url = filled(workplace, quick=quick)
    short_url = filled(workplace, quick=quick, days=TEN_WEEKS)
    findings = Findings({"long": about(url), "short": about(short_url), "times": _TIMES})
    engine, short = engine_for(url), engine_for(short_url)
    brief = {(c.report, c.by, c.span): c for c in calls(short, _until(short))}
    pairs: list[tuple[float, float]] = []
    for call in calls(engine, _until(engine)):
        say(f"{call.report} {call.by} {call.span}")
        row = _measured(engine, call)
        other = brief.get((call.report, call.by, call.span))
        if call.span in _FIXED and other is not None:
            both = [_pair(call, other) for _ in range(scaled(_TIMES))]
            row["to_ten_weeks"] = ratio_of_pairs(*zip(*both, strict=True)).median
            pairs += both
        findings.rows.append(row)
    findings.ratios = dict(_ratios(findings.rows, pairs))
    findings.rows = _slowest_first(findings.rows)
    return findings


def _until(engine: Engine) -> datetime:
    """When the last part of the history was made, before what benchmarks committed."""
    c = table_of(Part).c
    query = select(c.made_at).where(c.product == "product-0", c.serial.like("S%"))
    with reading(engine) as connection:
        until: datetime = connection.execute(query.order_by(c.serial.desc()).limit(1)).scalar_one()
    return until


def _measured(engine: Engine, call: Call) -> dict[str, Any]:
    call.run()
    seconds, sql = [], []
    for _ in range(scaled(_TIMES)):
        with watched(engine) as asked:
            seconds.append(_seconds(call))
        sql.append(asked.sql_ms)
    return {
        "report": call.report,
        "by": call.by,
        "range": call.span,
        "ms": 1000 * quantile(seconds, 0.25),
        "sql_ms": quantile(sql, 0.25),
        "worst_ms": 1000 * max(seconds),
        "statements": len(asked.statements),
        "faults": ", ".join(faults(engine, call.run)),
    }


def _pair(long: Call, short: Call) -> tuple[float, float]:
    return _seconds(long), _seconds(short)


def _seconds(call: Call) -> float:
    began = time.perf_counter()
    call.run()
    return time.perf_counter() - began


def _slowest_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The slowest row of each report, by its queries, and then all the others."""
    slowest: dict[str, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: -row["sql_ms"]):
        slowest.setdefault(row["report"], row)
    first = list(slowest.values())
    return first + [row for row in rows if not any(row is one for one in first)]


def _named(row: dict[str, Any]) -> str:
    return f"{row['report']} {row['by']} {row['range']}".strip()


def _ratios(
    rows: list[dict[str, Any]], pairs: list[tuple[float, float]]
) -> Iterator[tuple[str, Any]]:
    reports = [row for row in rows if row["report"] != CHART]
    slowest, longest = (max(reports, key=lambda row: row[name]) for name in ("ms", "sql_ms"))
    chart = max((row for row in rows if row["report"] == CHART), key=lambda row: row["sql_ms"])
    yield "slowest_report_ms", slowest["ms"]
    yield "slowest_report", _named(slowest)
    yield "slowest_report_sql_ms", longest["sql_ms"]
    yield "slowest_report_sql", _named(longest)
    yield "reports_over_100_ms", sum(row["sql_ms"] > _LIMIT_MS for row in reports)
    yield "slowest_chart_sql_ms", chart["sql_ms"]
    yield "slowest_chart_sql", _named(chart)
    yield "a_year_to_ten_weeks", ratio_of_pairs(*zip(*pairs, strict=True)).as_row()
    yield "reports_with_faults", sum(bool(row["faults"]) for row in rows)
    yield "shift_report_ms", of_rates([r["ms"] for r in rows if r["range"] == "1 shift"]).median

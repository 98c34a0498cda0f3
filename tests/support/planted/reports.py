"""Whether reports about parts say what was planted, and those about pictures what is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from sqlalchemy import Engine

from db.reports.backlog import backlog
from db.reports.flow import flow
from db.reports.label_progress import Wanted, label_progress
from db.reports.label_verdict import label_verdict
from db.reports.part_reports.defect_rate import defect_rate, first_pass
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.lot import lot_release
from db.reports.part_reports.pareto import pareto
from db.reports.part_reports.trend import trend
from db.reports.part_reports.versions import versions
from db.reports.picture_range import PictureRange
from db.reports.rejected import rejected
from tests.support.planted import counting
from tests.support.planted.clock import BACK_AT, DAY_0, shift_of
from tests.support.planted.parts import PLUG, Truth
from tests.support.planted.stored import fetched, in_utc, instant, keyed, rounded

Group = tuple[str, ...]
_BY: tuple[Group, ...] = (
    *((), ("line", "day", "shift"), ("line", "hour"), ("quarter", "line"), ("month",)),
    *(("week", "product"), ("lot", "work_order"), ("product", "model_version")),
)


@dataclass(frozen=True)
class Planted:
    """The truth, the first pictures that count by their receipt, and who reports what there is."""

    engine: Engine
    zone: ZoneInfo
    truth: Sequence[Truth]
    received: frozenset[UUID]

    def tally(self, parts: Sequence[Truth]) -> dict[str, Any]:
        """A row of the defect-rate report."""
        return counting.tally(parts, self.received)

    def check(self) -> None:
        """Ask for every report."""
        for by in _BY:
            self._rates(by, PartFilters(), self.truth)
        night = shift_of("L1", BACK_AT)
        assert night.ends - night.starts == timedelta(hours=9)
        of_night = PartFilters(since=night.starts, until=night.ends, line="L1")
        within = counting.within(self.truth, night.starts, night.ends)
        mine = [one for one in within if one.line == "L1"]
        assert len(mine) > 5
        self._rates((), of_night, mine)
        self._rates((), PartFilters(lot="A", product=PLUG), self._of(lot="A", product=PLUG))
        self._classes()
        self._trend()
        self._versions()
        self._lot()
        self._backlog()
        self._people()
        self._pictures()

    def _of(self, **names: str) -> list[Truth]:
        return [one for one in self.truth if all(getattr(one, n) == v for n, v in names.items())]

    def _grouped(self, by: Group, make: Callable[[list[Truth]], Any]) -> dict[Any, Any]:
        return {key: make(parts) for key, parts in counting.grouped(self.truth, by).items()}

    def _rates(self, by: Group, filters: PartFilters, parts: Sequence[Truth]) -> None:
        expected = {key: self.tally(group) for key, group in counting.grouped(parts, by).items()}
        rate = defect_rate(self.engine, filters, by, self.zone)
        assert rate.notes == ()
        assert rounded(keyed(rate.rows, by)) == rounded(expected)
        yields = {key: counting.first_pass(row) for key, row in expected.items()}
        found = keyed(first_pass(self.engine, filters, by, self.zone).rows, by)
        assert rounded(found) == rounded(yields)

    def _classes(self) -> None:
        for by in ((), ("line",)):
            rows = pareto(self.engine, PartFilters(), by, self.zone).rows
            names = (*by, "class", "parts", "share", "cumulative")
            expected = [
                (*key, *row)
                for key, parts in sorted(counting.grouped(self.truth, by).items())
                for row in counting.by_class(parts)
            ]
            assert rounded([[row[name] for name in names] for row in rows]) == rounded(expected)

    def _trend(self) -> None:
        middle, length = DAY_0 + timedelta(days=4), timedelta(days=3)
        filters = PartFilters(since=middle, until=middle + length)
        rows = trend(self.engine, filters, ("line",), self.zone).rows
        assert len(rows) == 3
        for row in rows:
            mine = self._of(line=str(row["line"]))
            now = self.tally(counting.within(mine, middle, middle + length))
            before = self.tally(counting.within(mine, middle - length, middle))
            change = counting.difference(now, before)
            expected = {
                **{name: now[name] for name in ("parts", "nonconforming", "open", "rate")},
                **{f"before_{n}": before[n] for n in ("parts", "nonconforming", "open", "rate")},
                **dict(
                    zip(
                        ("difference", "difference_low", "difference_high"),
                        change or (),
                        strict=True,
                    )
                ),
            }
            assert rounded({name: row[name] for name in expected}) == rounded(expected)

    def _versions(self) -> None:
        by = ("product", "model_version", "day")
        found = keyed(versions(self.engine, PartFilters(), (), self.zone).rows, by)
        for key, row in self._grouped(by, self.tally).items():
            got = found.pop(key)
            same = ("parts", "conforming", "nonconforming", "open", "by_person", "rate")
            assert rounded([got[name] for name in same]) == rounded([row[name] for name in same])
            assert got["open_share"] == (row["open"] / row["parts"] if row["parts"] else None)
        assert found == {}

    def _lot(self) -> None:
        rows = lot_release(self.engine, "A", self.zone).rows
        for product in {one.product for one in self._of(lot="A")}:
            mine, parts = self._of(lot="A", product=product), Counter[tuple[str, str]]()
            for row in rows:
                if row["product"] == product:
                    parts[str(row["section"]), str(row["name"])] += int(str(row["parts"]))
            tally = self.tally(mine)
            names = ("conforming", "nonconforming", "open", "unserialised", "by_receipt")
            assert [parts["parts", n] for n in names] == [tally[n] for n in names]
            assert parts["parts", "first passes"] == tally["parts"]
            assert parts["decided by", "person"] == tally["by_person"]
            assert parts["decided by", "model"] == tally["by_model"]
            for name, count, *_ in counting.by_class(mine):
                assert parts["class", name] == count
            still_open = Counter(one.serial or "(no serial number)" for one in mine if one.why)
            assert {n: c for (section, n), c in parts.items() if section == "open"} == still_open
            again = Counter(one.disposition for one in mine if one.number > 1)
            assert {n: c for (s, n), c in parts.items() if s == "re-inspections"} == again

    def _backlog(self) -> None:
        by = ("line", "product", "why")
        found = keyed(backlog(self.engine, PartFilters(), self.zone).rows, by)
        expected: dict[Any, list[Truth]] = {}
        for one in self.truth:
            if one.why:
                expected.setdefault((one.line, one.product, one.why), []).append(one)
        assert found.keys() == expected.keys()
        for key, parts in expected.items():
            row = found[key]
            nameless = sum(one.serial == "" for one in parts)
            assert (row["parts"], row["unserialised"]) == (len(parts), nameless)
            late = min(one.made_at for one in parts if one.made_at) - in_utc(row["oldest_at"])
            assert timedelta() <= late < timedelta(minutes=15)

    def _people(self) -> None:
        """Words on parts from the truth, words on pictures in SQL."""
        found = keyed(
            label_verdict(self.engine, PartFilters(), ("product",), self.zone).rows,
            ("of", "product", "good"),
        )
        said: Counter[tuple[str, str, bool]] = Counter()
        escapes: Counter[tuple[str, str, bool]] = Counter()
        for one in self.truth:
            if one.decided_by == "person" and one.number == 1:
                key = ("part", one.product, one.disposition == "conforming")
                said[key] += 1
                escapes[key] += not key[2] and one.model_disposition == "conforming"
        sql = (
            "SELECT l.product, l.label = 'ok' AS good, count(*) AS said, sum(CASE WHEN l.label <>"
            " 'ok' AND i.verdict = 'pass' THEN 1 ELSE 0 END) AS escapes FROM labels AS l"
            " JOIN inspections AS i ON i.id = l.inspection_id WHERE NOT EXISTS (SELECT 1 FROM"
            " labels AS m WHERE m.inspection_id = l.inspection_id"
            " AND m.labelled_at > l.labelled_at) GROUP BY l.product, l.label = 'ok'"
        )
        for row in fetched(self.engine, sql):
            key = ("picture", row["product"], bool(row["good"]))
            said[key], escapes[key] = row["said"], row["escapes"]
        assert {key: row["said"] for key, row in found.items()} == said
        assert {key: row["escapes"] for key, row in found.items()} == {k: escapes[k] for k in said}
        labelled = Counter(
            {
                (row["product"], row["label"]): row["n"]
                for row in fetched(
                    self.engine,
                    "SELECT l.product, l.label, count(*) AS n FROM labels AS l WHERE NOT EXISTS"
                    " (SELECT 1 FROM labels AS m WHERE m.inspection_id = l.inspection_id"
                    " AND m.labelled_at > l.labelled_at) GROUP BY l.product, l.label",
                )
            }
        )
        progress = label_progress(self.engine, Wanted(pictures=5, labels=50)).rows
        assert len(progress) == 9
        for row in progress:
            count = labelled[row["product"], row["class"]]
            got = (row["labelled"], row["new"], row["missing"])
            assert got == (count, count, max(0, 5 - count))

    def _pictures(self) -> None:
        by = ("line", "camera", "verdict", "reason")
        found = keyed(rejected(self.engine, PictureRange(), self.zone).rows, by)
        rows = fetched(
            self.engine,
            "SELECT line, camera, verdict, reason, count(*) AS pictures FROM inspections"
            " WHERE verdict IN ('rejected', 'dead_letter') GROUP BY line, camera, verdict, reason",
        )
        expected = {tuple(row[name] for name in by): row["pictures"] for row in rows}
        assert {key: row["pictures"] for key, row in found.items()} == expected
        since = DAY_0 + timedelta(days=3)
        report = flow(self.engine, PictureRange(since=since), self.zone)
        if any(note.startswith("From a sample") for note in report.notes):
            return
        lines = keyed(report.rows, ("line",))
        for (line,), row in lines.items():
            times = [
                (instant(one["decided_at"]), instant(one["enqueued_at"]))
                for one in fetched(
                    self.engine,
                    f"SELECT decided_at, enqueued_at FROM inspections WHERE line = '{line}'",
                )
            ]
            queue = [(d - e).total_seconds() for d, e in times if d >= since]
            assert row["pictures"] == len(queue)
            p95 = float(np.percentile([q for q in queue if q >= 0], 95))
            assert row["queue_p95_s"] == pytest.approx(p95, rel=1e-9)

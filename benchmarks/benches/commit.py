"""Commits of 64 pictures of distinct parts, two views each in two messages, beside 0.1.0.

Both versions commit the same load in turns, each on a database of the same history (10 million
pictures; `benchmarks/history`), and 0.1.0 on its own schema: it knows no parts, and finds pictures
by hash indexes. What a commit writes to PostgreSQL's log is read from EXPLAIN, so that other
sessions do not count. A correction is a person's decision on a part of the history, with the audit
entry and the counts that it moves. SQLite starts empty: its files are for plants without so many.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select, text

from benchmarks.history.committing import Committing, before, migrate_with
from benchmarks.history.databases import about, filled, filled_before
from benchmarks.intervals import of_rates
from benchmarks.paired import Turns, interleave, ratio, spread
from benchmarks.report import Findings
from benchmarks.scale import again, rounds, scaled
from benchmarks.workplace import ROOT, Workplace, say
from db.base import table_of
from db.labels import decisions
from db.labels.decisions import NewDecision
from db.session import engine_for, reading, transaction
from db.tables import Part

SIZE = 64  # pictures a message
NOW, THEN = "with parts", "0.1.0"
_PAIRS, _QUICK_PAIRS = 40, 10  # of messages, a round
_WAL_PAIRS = 100
_CORRECTIONS = 60
_ALL_PARTS = text("SELECT reltuples FROM pg_class WHERE relname = 'parts'")  # about


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Measure PostgreSQL on a history, and SQLite."""
    old = before(workplace.folder / "0.1.0")
    url, old_url = filled(workplace, quick=quick), filled_before(workplace, old, quick=quick)
    findings = Findings({"pictures a message": SIZE, "rounds": rounds(quick)})
    findings.settings |= {NOW: about(url), THEN: about(old_url)}
    pairs = pairs_a_round(quick)
    with Committing(ROOT, url, SIZE) as new, Committing(old, old_url, SIZE) as then:
        turns = in_turns(new, then, pairs, quick=quick)
        findings.keep("postgresql", turns)
        findings.ratios["commit_to_0_1_0"] = ratio(turns, NOW, THEN)
        findings.rows += _rows("postgresql", turns)
        for name, contender in ((NOW, new), (THEN, then)):
            findings.rows.append({"contender": name, "wal_a_picture": contender.wal(_WAL_PAIRS)})
    findings.ratios["wal_a_picture"] = findings.rows[-2]["wal_a_picture"]["bytes"]
    say("corrections")
    seconds = list(_corrections(engine_for(url), scaled(_CORRECTIONS)))
    findings.ratios["correction_ms"] = of_rates([1000 * each for each in seconds]).as_row()
    _sqlite(workplace, findings, old, pairs, quick=quick)
    return findings


def pairs_a_round(quick: bool) -> int:
    """How many pairs of messages each commits in a round."""
    return scaled(_QUICK_PAIRS if quick else _PAIRS)


def in_turns(new: Committing, then: Committing, pairs: int, *, quick: bool) -> Turns[float]:
    """Messages a second of both, round by round."""
    for contender in (new, then):
        contender.messages_per_s(5)  # plans are made, and kept
    runs = {
        NOW: partial(new.messages_per_s, pairs),
        THEN: partial(then.messages_per_s, pairs),
    }
    return interleave(runs, rounds(quick), again=again(quick))


def _rows(kind: str, turns: Turns[float]) -> Iterator[dict[str, Any]]:
    for name, values in turns.results.items():
        milliseconds = [1000 / each for each in values]
        yield {"database": kind, "contender": name, "ms_a_message": spread(milliseconds)}


def _corrections(engine: Engine, count: int) -> Iterator[float]:
    """Seconds for each of so many decisions, on parts from all over the history."""
    with reading(engine) as connection:
        all_parts = connection.scalar(_ALL_PARTS)
        # Pages of some fifty times as many, or all came from a few of them.
        sample = table_of(Part).tablesample(min(100.0, 100 * 50 * count / max(all_parts, 1.0)))
        parts = select(sample.c.product, sample.c.serial).where(
            sample.c.serial.like("S%"), sample.c.decided_by == "model"
        )
        chosen = connection.execute(parts.limit(count + 5)).all()
    for number, (product, serial) in enumerate(chosen):
        word = NewDecision(product, serial, "defect-3", "bench")
        began = time.perf_counter()
        with transaction(engine) as connection:
            decisions.add(connection, [word])
        if number >= len(chosen) - count:
            yield time.perf_counter() - began


def _sqlite(
    workplace: Workplace, findings: Findings, old: Path, pairs: int, *, quick: bool
) -> None:
    url, old_url = (workplace.bare_database_url("sqlite") for _ in range(2))
    migrate_with(ROOT, url)
    migrate_with(old, old_url)
    with Committing(ROOT, url, SIZE) as new, Committing(old, old_url, SIZE) as then:
        turns = in_turns(new, then, pairs, quick=quick)
    findings.keep("sqlite", turns)
    findings.ratios["commit_to_0_1_0_sqlite"] = ratio(turns, NOW, THEN)
    findings.rows += _rows("sqlite", turns)

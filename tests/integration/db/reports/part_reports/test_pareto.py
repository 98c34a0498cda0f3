"""The Pareto of parts against a count of every part."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from sqlalchemy import Engine

from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.pareto import pareto
from linewatch.errors import ReportError
from tests.support.counted_parts import BERLIN, random_parts, shift_of, store, usual


def test_pareto_counts_a_part_with_two_classes_in_both(engine: Engine) -> None:
    parts = random_parts(6, 900)
    store(engine, parts, usual())
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in pareto(engine, PartFilters(), ("line", "day"), BERLIN).rows:
        found[row["line"], row["day"]].append(row)  # type: ignore[index]
    bad: dict[tuple[Any, ...], list[set[str]]] = defaultdict(list)
    for part in parts:
        if part.disposition == "nonconforming" and not part.again:
            key = (part.line, shift_of(part, usual()).day)
            bad[key].append(set(part.classes.split("+")))
    assert found.keys() == bad.keys()
    for key, rows in found.items():
        seen: set[str] = set()
        for row in rows:
            seen.add(row["class"])
            assert row["parts"] == sum(row["class"] in classes for classes in bad[key])
            assert row["share"] == row["parts"] / len(bad[key])
            assert row["cumulative"] == sum(bool(seen & c) for c in bad[key]) / len(bad[key])
        assert seen == set().union(*bad[key])
        assert rows == sorted(rows, key=lambda row: (-row["parts"], row["class"]))
        assert rows[-1]["cumulative"] == 1


def test_a_class_alone_keeps_its_shares(engine: Engine) -> None:
    store(engine, random_parts(6, 400), usual())
    every = pareto(engine, PartFilters(), (), BERLIN).rows
    (cut,) = pareto(engine, PartFilters(), (), BERLIN, "cut").rows
    assert cut in every
    with pytest.raises(ReportError, match=r"no class is called 'cutt'; did you mean 'cut'\?"):
        pareto(engine, PartFilters(), (), BERLIN, "cutt")

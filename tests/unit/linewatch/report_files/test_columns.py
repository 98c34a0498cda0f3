"""What a column is, by its cells and its name."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from db.reports.report import Cell, plain
from linewatch.report_files.cells import words
from linewatch.report_files.columns import Kind, kind_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("parts", [1, 2], Kind.COUNT),
        ("parts", [None, 2], Kind.COUNT),
        ("rate", [0, 1], Kind.COUNT),
        ("rate", [0.5, None, 1], Kind.SHARE),
        ("ppm", [12.5], Kind.NUMBER),
        ("takt_s", [1.5, 2], Kind.NUMBER),
        ("champion", [True, False], Kind.TRUTH),
        ("champion", [True, 2], Kind.TEXT),
        ("day", [date(2026, 3, 2)], Kind.DATE),
        ("day", [date(2026, 3, 2), NOW], Kind.TEXT),
        ("hour", [NOW], Kind.INSTANT),
        ("lot", ["2026-03-02"], Kind.TEXT),
        ("lot", ["1", 2], Kind.TEXT),
        ("rate", [None], Kind.SHARE),
        ("oldest_at", [None], Kind.INSTANT),
        ("takt_s", [], Kind.NUMBER),
        ("lot", [None], Kind.TEXT),
    ],
)
def test_kind_of_a_column(name: str, cells: list[Cell], kind: Kind) -> None:
    assert kind_of(name, cells) is kind


@pytest.mark.parametrize(
    ("name", "cell", "shown"),
    [
        ("rate", 0.125, "12.50%"),
        ("effectiveness", 0.125, "12.50%"),  # as its interval, which stands beside it
        ("kappa", 0.125, "0.125"),
        ("takt_s", 0.125, "0.125"),
        ("ppm", 12500.4, "12500"),
        ("parts", 12, "12"),
        ("good", True, "yes"),
        ("rate", None, "–"),
        ("hour", NOW, "2026-03-02T12:00+00:00"),
        ("serial", "a\x1b[2Jb", r"a\x1b[2Jb"),
    ],
)
def test_words_of_a_cell(name: str, cell: Cell, shown: str) -> None:
    assert words(name, plain(cell)) == shown

"""Which defect classes nonconforming parts have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from sqlalchemy import Engine

from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.names import refuse_unknown_class
from db.reports.part_reports.part_query import PartQuery
from db.reports.report import Report, Row
from db.session import reading
from quality.parts import pareto as arithmetic


def pareto(
    engine: Engine,
    filters: PartFilters,
    by: Sequence[str],
    timezone: tzinfo,
    class_code: str | None = None,
) -> Report:
    """The classes of nonconforming first passes, most frequent first, within each group.

    Args:
        class_code: only this class's rows; shares stay of all nonconforming parts.

    Raises:
        ReportError: a group, a name, a class or a range that there cannot be.
    """
    with reading(engine) as connection:
        query = PartQuery.of(connection, filters, by, timezone)
        found = query.combinations()
        counted = {code for _, parts in found for classes in parts for code in classes}
        if class_code is not None and class_code not in counted:
            refuse_unknown_class(connection, class_code, query.filters.names().get("product"))
    rows: list[Row] = [
        {**group, **pareto_cells(row)}
        for group, parts in found
        for row in arithmetic.pareto(parts)
        if class_code in (None, row.name)
    ]
    which = "nonconforming" if class_code is None else f"to have class {class_code}"
    empty = f"no part was found {which} in this time"
    blank = pareto_cells(arithmetic.ParetoRow("", 0, 0.0, 0.0))
    return query.report("pareto", "Nonconforming parts by class", rows, blank=blank, empty=empty)


def pareto_cells(row: arithmetic.ParetoRow) -> Row:
    """A class as columns."""
    return {
        "class": row.name,
        "parts": row.parts,
        "share": row.share,
        "cumulative": row.cumulative,
    }

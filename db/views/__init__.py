"""SQL views with stable names, for Grafana and BI tools.

A view's text is a file of its own and version, `<name>_v<version>.sql`, and never changes once it
is released: migrations create the version they were written for, and `CURRENT` names the newest.
"""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import DDL, event

from db.base import Base

CURRENT = {
    "report_defect_rate_hourly": 1,
    "report_pareto": 1,
    "report_class_metrics": 1,
    "report_parts": 1,
    "report_part_counts": 1,
    "report_part_shifts": 1,
    "report_part_rates": 1,
}
DIALECTS = ("postgresql", "sqlite")
# What the databases have no common word for: the UTC quarter hour that a slice lies in.
_QUARTER = "QUARTER_OF_SLICE"
_QUARTER_IN = {
    "postgresql": "to_timestamp(floor(extract(epoch FROM slice_at) / 900) * 900)",
    "sqlite": (
        "strftime('%Y-%m-%d %H:%M:%S.000000', strftime('%s', slice_at) / 900 * 900, 'unixepoch')"
    ),
}


def create_view(name: str, version: int, dialect: str = "postgresql") -> str:
    """The statement that creates a version of a view.

    Args:
        dialect: of the database; the first three views are the same on each.
    """
    text = files("db.views").joinpath(f"{name}_v{version}.sql").read_text(encoding="utf-8")
    text = text.replace(_QUARTER, _QUARTER_IN[dialect])
    return f"CREATE VIEW {name} AS\n{text.rstrip().rstrip(';')}"


def drop_view(name: str) -> str:
    """The statement that drops a view."""
    return f"DROP VIEW IF EXISTS {name}"


for _name, _version in CURRENT.items():  # so that create_all() and drop_all() see the views too
    for _dialect in DIALECTS:
        _create = DDL(create_view(_name, _version, _dialect).replace("%", "%%"))  # type: ignore[no-untyped-call]
        event.listen(Base.metadata, "after_create", _create.execute_if(dialect=_dialect))
    _drop = drop_view(_name)
    event.listen(Base.metadata, "before_drop", DDL(_drop))  # type: ignore[no-untyped-call]

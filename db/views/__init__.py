"""SQL views with stable names, for Grafana and BI tools.

A view's text is a file of its own and version, `<name>_v<version>.sql`, and never changes once it
is released: migrations create the version they were written for, and `CURRENT` names the newest.
"""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import DDL, event

from db.base import Base

CURRENT = {"report_defect_rate_hourly": 1, "report_pareto": 1, "report_class_metrics": 1}


def create_view(name: str, version: int) -> str:
    """The statement that creates a version of a view."""
    text = files("db.views").joinpath(f"{name}_v{version}.sql").read_text(encoding="utf-8")
    return f"CREATE VIEW {name} AS\n{text.rstrip().rstrip(';')}"


def drop_view(name: str) -> str:
    """The statement that drops a view."""
    return f"DROP VIEW IF EXISTS {name}"


for _name, _version in CURRENT.items():  # so that create_all() and drop_all() see the views too
    _create = create_view(_name, _version).replace("%", "%%")
    event.listen(Base.metadata, "after_create", DDL(_create))  # type: ignore[no-untyped-call]
    _drop = drop_view(_name)
    event.listen(Base.metadata, "before_drop", DDL(_drop))  # type: ignore[no-untyped-call]

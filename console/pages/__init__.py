"""Each page a module; this is the list of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from console.page import Page
from console.pages import account, alerts, lines, people, queue
from console.pages.charts import acts as chart_acts
from console.pages.charts import chart
from console.pages.models import acts as model_acts
from console.pages.models import version, versions
from console.pages.reports import index as report_index
from console.pages.reports import parts as report_parts
from console.pages.reports import report

PAGES: tuple[Page[Any, Any], ...] = (
    lines.PAGE,
    lines.WALL,
    report_index.PAGE,
    report_parts.PAGE,
    report.PAGE,
    chart.PAGE,
    versions.PAGE,
    version.PAGE,
    queue.PAGE,
    queue.LETTER,
    queue.TRAIL,
    alerts.PAGE,
    people.PAGE,
    account.PAGE,
)
# What pages let people do, beside looking.
ACTIONS: tuple[APIRouter, ...] = (
    lines.router,
    report.router,
    chart_acts.router,
    model_acts.router,
    queue.router,
    alerts.router,
    people.router,
    account.router,
)

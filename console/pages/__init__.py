"""Each page a module; this is the list of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from console.page import Page
from console.pages import home
from console.pages.charts import acts as chart_acts
from console.pages.charts import chart
from console.pages.reports import index as report_index
from console.pages.reports import parts as report_parts
from console.pages.reports import report

PAGES: tuple[Page[Any, Any], ...] = (
    home.PAGE,
    report_index.PAGE,
    report_parts.PAGE,
    report.PAGE,
    chart.PAGE,
)
# What pages let people do, beside looking.
ACTIONS: tuple[APIRouter, ...] = (
    report.router,
    chart_acts.router,
)

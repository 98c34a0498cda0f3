"""Each page a module; this is the list of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from console.page import Page
from console.pages import account, lines, people, products, queue
from console.pages.charts import acts as chart_acts
from console.pages.charts import chart
from console.pages.reports import index as report_index
from console.pages.reports import parts as report_parts
from console.pages.reports import report

PAGES: tuple[Page[Any, Any], ...] = (
    lines.PAGE,
    lines.WALL,
    queue.PAGE,
    queue.LETTER,
    queue.TRAIL,
    report_index.PAGE,
    report_parts.PAGE,
    report.PAGE,
    chart.PAGE,
    products.PAGE,
    products.SETUP,
    people.PAGE,
    account.PAGE,
)
# What pages let people do, beside looking.
ACTIONS: tuple[APIRouter, ...] = (
    lines.router,
    queue.router,
    report.router,
    chart_acts.router,
    *products.ROUTERS,
    people.router,
    account.router,
)

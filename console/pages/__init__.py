"""Each page a module; this is the list of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from console.page import Page
from console.pages import account, alerts, lines, people, products, queue
from console.pages.charts import acts as chart_acts
from console.pages.charts import chart
from console.pages.models import acts as model_acts
from console.pages.models import version, versions
from console.pages.part import containment
from console.pages.part import page as part
from console.pages.part import search as parts
from console.pages.reports import index as report_index
from console.pages.reports import parts as report_parts
from console.pages.reports import report
from console.pages.review import actions as review_actions
from console.pages.review import class_search
from console.pages.review import files as review_files
from console.pages.review import labels as review_labels
from console.pages.review import page as review
from console.pages.review import seen as review_seen

PAGES: tuple[Page[Any, Any], ...] = (
    lines.PAGE,
    lines.WALL,
    review.PAGE,
    review_seen.PAGE,
    parts.PAGE,
    part.PAGE,
    containment.PAGE,
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
    products.PAGE,
    products.SETUP,
    products.PICK,
    people.PAGE,
    account.PAGE,
)
# What pages let people do, beside looking.
ACTIONS: tuple[APIRouter, ...] = (
    lines.router,
    review_actions.router,
    review_files.router,
    review_labels.router,
    class_search.router,
    containment.router,
    report.router,
    chart_acts.router,
    model_acts.router,
    queue.router,
    alerts.router,
    *products.ROUTERS,
    people.router,
    account.router,
)

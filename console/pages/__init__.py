"""Each page a module; this is the list of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from console.page import Page
from console.pages import alerts, lines, queue

PAGES: tuple[Page[Any, Any], ...] = (
    lines.PAGE,
    lines.WALL,
    queue.PAGE,
    queue.LETTER,
    queue.TRAIL,
    alerts.PAGE,
)
# What pages let people do, beside looking.
ACTIONS: tuple[APIRouter, ...] = (
    lines.router,
    queue.router,
    alerts.router,
)

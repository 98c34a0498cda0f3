"""Each page a module; this is the list of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from console.page import Page
from console.pages import lines

PAGES: tuple[Page[Any, Any], ...] = (lines.PAGE, lines.WALL)
# What pages let people do, beside looking.
ACTIONS: tuple[APIRouter, ...] = (lines.router,)

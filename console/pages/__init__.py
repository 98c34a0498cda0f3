"""Each page a module; this is the list of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from console.page import Page
from console.pages import home
from console.pages.part import containment
from console.pages.part import page as part
from console.pages.part import search as parts
from console.pages.review import actions as review_actions
from console.pages.review import files as review_files
from console.pages.review import page as review
from console.pages.review import seen as review_seen

PAGES: tuple[Page[Any, Any], ...] = (
    home.PAGE,
    review.PAGE,
    review_seen.PAGE,
    parts.PAGE,
    part.PAGE,
    containment.PAGE,
)
# What pages let people do, beside looking.
ACTIONS: tuple[APIRouter, ...] = (
    review_actions.router,
    review_files.router,
    containment.router,
)

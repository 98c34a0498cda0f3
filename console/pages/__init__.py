"""Each page a module; this is the list of them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from console.page import Page
from console.pages import account, home, people

PAGES: tuple[Page[Any, Any], ...] = (home.PAGE, people.PAGE, account.PAGE)
# What pages let people do, beside looking.
ACTIONS: tuple[APIRouter, ...] = (people.router, account.router)

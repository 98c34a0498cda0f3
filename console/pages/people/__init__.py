"""People: who may use the console, where they are signed in, and the keys of systems."""

from __future__ import annotations

from console.pages.people.actions import router
from console.pages.people.page import PAGE

__all__ = ["PAGE", "router"]

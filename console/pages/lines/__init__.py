"""The first page, and the wall: every line and camera, live."""

from console.pages.lines.page import PAGE, WALL
from console.pages.lines.stream import router

__all__ = ["PAGE", "WALL", "router"]

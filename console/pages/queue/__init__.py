"""The queue: what waits, who works, what could not be judged, and a message's trail."""

from console.pages.queue.actions import router
from console.pages.queue.letter import PAGE as LETTER
from console.pages.queue.page import PAGE
from console.pages.queue.trail import PAGE as TRAIL

__all__ = ["LETTER", "PAGE", "TRAIL", "router"]

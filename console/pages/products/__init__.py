"""Set up a product: what it is, its pictures, its first model."""

from __future__ import annotations

from console.pages.products import actions, models, picked, pictures
from console.pages.products.listing import PAGE
from console.pages.products.pick import PAGE as PICK
from console.pages.products.setup import SETUP

ROUTERS = (actions.router, pictures.router, picked.router, models.router)

__all__ = ["PAGE", "PICK", "ROUTERS", "SETUP"]

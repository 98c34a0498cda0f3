"""Alerts: what stands, who takes care of it, who was told."""

from console.pages.alerts.actions import router
from console.pages.alerts.page import PAGE

__all__ = ["PAGE", "router"]

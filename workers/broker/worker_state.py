"""Celery's books of this process: which messages have become tasks, and which of these run."""

from __future__ import annotations

from celery.worker import state

__all__ = ["state"]

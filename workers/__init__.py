"""The Celery application: `celery -A workers worker` runs it, `linewatch worker` knows how."""

from workers.app import app

__all__ = ["app"]

"""The Celery application object. Light to import: Flower and beat load it without torch."""

from __future__ import annotations

import logging

from celery import Celery

from linewatch.settings import Settings, get_settings
from workers.config import celery_config

# Celery's two lines for each message, "received" and "succeeded": two for each picture say nothing
# that its row and Flower do not, and hide the lines that matter.
_CHATTY = ("celery.worker.strategy", "celery.app.trace")


def make_app(settings: Settings) -> Celery:
    """Build the application for these settings."""
    app = Celery("linewatch", events="workers.events:Events")
    app.conf.update(celery_config(settings))

    from workers.bootsteps import LeaseStep, PipelineStep
    from workers.transport import install
    from workers.unreadable import BuryStep

    install()
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    app.steps["worker"].add(PipelineStep)
    app.steps["consumer"].update({BuryStep, LeaseStep})
    return app


app = make_app(get_settings())

"""Makes the Celery application. Light to import: Flower and beat load it without torch."""

from __future__ import annotations

import logging
from functools import cache

from celery import Celery

from linewatch.plain_text import keep_logs_plain
from linewatch.settings import Settings, get_settings
from workers.config import celery_config

# Celery's two lines for each message, "received" and "succeeded": two for each picture say nothing
# that its row and Flower do not, and hide the lines that matter.
_CHATTY = ("celery.worker.strategy", "celery.app.trace")


def make_app(settings: Settings) -> Celery:
    """Build the application for these settings."""
    keep_logs_plain()
    app = Celery("linewatch", events="workers.broker.events:Events")
    app.conf.update(celery_config(settings))

    from workers.bootsteps import LeaseStep, PipelineStep, SecretsStep
    from workers.broker.leases import note_tasks
    from workers.broker.transport import install
    from workers.broker.unreadable import BuryStep
    from workers.health.heartbeat import HeartStep
    from workers.intake import IntakeStep

    install()
    note_tasks()  # before Celery builds what runs tasks: it looks then whether somebody asks
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    for step in (PipelineStep, SecretsStep, HeartStep):
        app.steps["worker"].add(step)
    app.steps["consumer"].update({BuryStep, IntakeStep, LeaseStep})
    return app


@cache
def application() -> Celery:
    """The application of this process, made of its settings when first asked for."""
    return make_app(get_settings())

"""The training tasks. They run on their own queue, so that they never hold up inspection."""

from __future__ import annotations

import logging

from celery import shared_task

from db.session import engine_for
from linewatch.errors import ModelError, TrainingError, UnknownProductError
from linewatch.settings import get_settings
from model_store.store import ModelStore
from training.retraining import due_products
from training.retraining import retrain as run_retraining
from workers.config import RETRAIN_DUE_TASK, RETRAIN_TASK

log = logging.getLogger(__name__)


@shared_task(name=RETRAIN_TASK, acks_late=True, ignore_result=True)
def retrain(product: str, trigger: str = "command") -> str:
    """Retrain one product; returns the new version, or why there is none."""
    settings = get_settings()
    try:
        result = run_retraining(
            engine_for(settings.sql_url),
            ModelStore(settings.models_url),
            product,
            trigger=trigger,
            settings=settings,
        )
    except (TrainingError, ModelError, UnknownProductError) as error:  # others are still due
        log.warning("%s not retrained: %s", product, error)
        return f"not retrained: {error}"
    return result.manifest.version if result else "already running"


@shared_task(name=RETRAIN_DUE_TASK, acks_late=True, ignore_result=True)
def retrain_due(trigger: str, after_labels: int) -> str:
    """Retrain every product with at least `after_labels` new labels since its last run."""
    engine = engine_for(get_settings().sql_url)
    results = [
        f"{product}: {retrain(product, trigger)}"
        for product in due_products(engine, after_labels=after_labels)
    ]
    return "; ".join(results) or "nothing due"

"""Celery's configuration, as a pure function of the settings. `docs/promise.md` says why."""

from __future__ import annotations

from typing import Any

from kombu import Queue

from linewatch.redis_access.keys import BEAT_PREFIX
from linewatch.settings import Settings
from producer.contract import QUEUE, TASK

TRAIN_QUEUE = "train"
MAINTENANCE_QUEUE = "maintenance"
ALL_QUEUES = (QUEUE, TRAIN_QUEUE, MAINTENANCE_QUEUE)

RETRAIN_TASK = "linewatch.retrain"
RETRAIN_DUE_TASK = "linewatch.retrain_due"
MAINTENANCE_TASK = "linewatch.maintenance"
CHARTS_TASK = "linewatch.charts"
CHARTS_EVERY_S = 300.0
REDIS_SILENT_S = 5  # a connection on which Redis says nothing for so long is given up

# What each queue may ask for: no task of another queue, and none of Celery's own.
TASKS: dict[str, frozenset[str]] = {
    QUEUE: frozenset({TASK}),
    TRAIN_QUEUE: frozenset({RETRAIN_TASK, RETRAIN_DUE_TASK}),
    MAINTENANCE_QUEUE: frozenset({MAINTENANCE_TASK, CHARTS_TASK}),
}


def celery_config(settings: Settings) -> dict[str, Any]:
    """What the application is configured with."""
    return {
        "broker_url": settings.broker_url,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_transport_options": broker_transport_options(settings),
        "include": ["workers.inspect", "workers.train", "workers.maintenance"],
        # Names, not pickles: only JSON is read, and nothing is stored as a result.
        "accept_content": ["json"],
        "task_serializer": "json",
        "event_serializer": "json",
        "task_ignore_result": True,
        "result_backend": None,
        "result_backend_thread_safe": True,  # it is none: one for all threads, not one for each
        "result_expires": None,  # nothing to clean up
        # A message is acknowledged when its verdicts are committed, not when it is received.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_queues": [Queue(name) for name in ALL_QUEUES],
        "task_default_queue": QUEUE,
        "task_create_missing_queues": False,
        "task_routes": {task: {"queue": q} for q, tasks in TASKS.items() for task in sorted(tasks)},
        # CUDA must not be forked: one process a device, many messages in flight as threads.
        "worker_pool": "threads",
        "worker_concurrency": settings.worker_threads,
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": True,
        "worker_hijack_root_logger": False,
        "task_send_sent_event": True,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "timezone": settings.plant_timezone,
        # It knows Redis's URL by itself: this here is shown to whoever asks a worker.
        "beat_scheduler": "workers.broker.scheduler:PatientScheduler",
        "beat_max_loop_interval": 5,
        "redbeat_redis_options": {"socket_timeout": 5, "socket_connect_timeout": 5},
        "redbeat_lock_timeout": 25,
        "redbeat_key_prefix": f"{settings.redis_key_prefix}{BEAT_PREFIX}",
        "beat_schedule": beat_schedule(settings),
    }


def broker_transport_options(settings: Settings) -> dict[str, Any]:
    """How kombu talks to Redis. Workers renew their leases, so the timeout can be short."""
    return {
        "global_keyprefix": settings.redis_key_prefix,
        "visibility_timeout": settings.visibility_timeout_s,
        "unacked_restore_interval": settings.redelivery_sweep_s,
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": max(5, settings.visibility_timeout_s),
        # Where Redis vanished without a word, the loop waits for each command that it sent before,
        # one after the other, and for the poll: so each of them gives up soon.
        "health_check_interval": REDIS_SILENT_S,
        "socket_timeout": REDIS_SILENT_S,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "retry_on_timeout": True,
    }


def beat_schedule(settings: Settings) -> dict[str, Any]:
    """What beat starts: retraining, maintenance, and looks at the frozen control charts."""
    from celery.schedules import crontab

    return {
        "maintenance-nightly": {
            "task": MAINTENANCE_TASK,
            "schedule": crontab(hour=str(settings.maintenance_hour), minute="0"),
        },
        "charts": {"task": CHARTS_TASK, "schedule": CHARTS_EVERY_S},
        "retrain-nightly": {
            "task": RETRAIN_DUE_TASK,
            "schedule": crontab(hour=str(settings.retrain_hour), minute="0"),
            "kwargs": {"trigger": "nightly", "after_labels": 1},
        },
        "retrain-after-labels": {
            "task": RETRAIN_DUE_TASK,
            "schedule": 60.0,
            "kwargs": {"trigger": "labels", "after_labels": settings.retrain_after_labels},
        },
    }

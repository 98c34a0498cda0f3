"""What Celery is configured with: the settings that the promise rests on."""

from __future__ import annotations

from pathlib import Path

from linewatch.settings import Settings
from producer.contract import QUEUE, TASK
from workers.config import broker_transport_options, celery_config


def test_a_message_is_acknowledged_late_and_read_as_json_only(tmp_path: Path) -> None:
    config = celery_config(Settings(data_dir=tmp_path))
    assert config["task_acks_late"] is True
    assert config["accept_content"] == ["json"]
    assert config["result_backend"] is None
    assert config["worker_pool"] == "threads"
    assert config["task_routes"][TASK] == {"queue": QUEUE}


def test_a_dead_workers_messages_come_back_within_half_a_minute(tmp_path: Path) -> None:
    options = broker_transport_options(Settings(data_dir=tmp_path))
    sweep = options["unacked_restore_interval"] * options["unacked_restore_throttle"]
    assert options["visibility_timeout"] + sweep <= 25

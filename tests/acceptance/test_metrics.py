"""A worker's metrics and health, alarms and maintenance, with real processes."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

from celery import Celery

from db import alerts, audit
from db.inspections.inspections import commit_inspections, existing
from db.inspections.stations import set_line
from linewatch.services import free_port
from linewatch.top import look
from tests.acceptance.live import PATIENCE, Live, ids_of, message
from tests.support.committed import committed
from tests.support.outbox import registered
from tests.support.records import a_record

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def fetch(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def value(page: str, sample: str) -> float:
    (found,) = re.findall(rf"^{re.escape(sample)} (\S+)$", page, re.MULTILINE)
    return float(found)


def test_metrics_of_a_worker_that_judges(plant: Live) -> None:
    port = free_port()
    registered(plant.engine, "line-1", "gate")
    plant.worker(LINEWATCH_METRICS_PORT=str(port))
    with plant.camera() as camera:
        for _ in range(12):
            camera.submit(plant.picture())
        assert camera.wait(timeout=60 * PATIENCE)
    plant.until(lambda: plant.held() == 0, 20, "acknowledgements")
    assert fetch(port, "/healthz") == (200, "healthy\n")
    assert fetch(port, "/")[0] == 404
    status, page = fetch(port, "/metrics")
    assert status == 200
    assert value(page, 'linewatch_pictures_total{verdict="review"}') == 12
    assert value(page, "linewatch_batch_size_sum") == 12
    assert value(page, "linewatch_capture_to_verdict_seconds_count") == 12
    assert value(page, 'linewatch_stage_seconds_count{stage="decode"}') == 12
    for stage in ("queue_wait", "receive", "batch_wait", "infer", "commit", "receipt"):
        assert value(page, f'linewatch_stage_seconds_count{{stage="{stage}"}}') >= 1
    assert value(page, 'linewatch_output_backlog{line="line-1",receiver="gate"}') == 12
    expected = {"linewatch_queue_depth": 0, "linewatch_holding": 0, "linewatch_suspects": 0}
    expected |= {"linewatch_redis_up": 1, "linewatch_database_up": 1, "linewatch_in_flight": 0}
    expected |= {"linewatch_batch_limit": plant.settings.max_batch}
    assert {name: value(page, name) for name in expected} == expected
    url = f"http://127.0.0.1:{port}/metrics"
    (seen,) = look(plant.settings, [url]).workers.values()
    assert (seen.batched, seen.batches) == (12, value(page, "linewatch_batch_size_count"))
    assert seen.gauges["linewatch_batch_limit"] == plant.settings.max_batch
    names = re.findall(r"^# TYPE (linewatch_[a-z_]+) ", page, re.MULTILINE)
    shown = {name for name in names if not name.endswith("_created")}  # the client's own
    documented = set(re.findall(r"^\| `(linewatch_[a-z_]+)` \|", PAGE.read_text(), re.MULTILINE))
    assert documented - shown <= {"linewatch_device_memory_bytes"}
    assert shown <= documented


def test_a_port_that_is_taken_stops_nobody(plant: Live) -> None:
    port = free_port()
    plant.worker("one", LINEWATCH_METRICS_PORT=str(port))
    plant.worker("two", LINEWATCH_METRICS_PORT=str(port))
    log = (plant.settings.data_dir / "logs" / "two.log").read_text()
    assert "give each worker its own LINEWATCH_METRICS_PORT" in log
    payload = message(plant.picture())
    plant.enqueue(payload)
    assert len(plant.wait_for(ids_of(payload))) == 1


def test_a_late_verdict_raises_the_lines_alarm(plant: Live) -> None:
    commit_inspections(plant.engine, [a_record(line="line-1")], UTC)
    committed(
        plant.engine,
        set_line,
        "line-1",
        {"takt_budget_s": 1.0, "policy": "newest-first"},
        by="test",
    )
    plant.worker()
    plant.enqueue(message(plant.picture()))  # captured in January

    def standing() -> list[str | None]:
        return [alert.line for alert in alerts.open_alerts(plant.engine)]

    plant.until(lambda: standing() == ["line-1"], 30, "takt alarm")


def test_maintenance_runs_on_its_queue(plant: Live) -> None:
    old = a_record(decided_at=datetime.now(UTC) - timedelta(days=40))
    new = a_record(decided_at=datetime.now(UTC))
    commit_inspections(plant.engine, [old, new], UTC)
    plant.worker("m", queues="maintenance", LINEWATCH_RETENTION_INSPECTIONS_DAYS="30")
    with Celery(broker=plant.settings.broker_url, set_as_current=False) as app:
        app.send_task("linewatch.maintenance", queue="maintenance", ignore_result=True)
    plant.until(
        lambda: existing(plant.engine, [old.id, new.id]) == {new.id}, 30, "purged inspection"
    )
    plant.until(lambda: plant.held() == 0, 10, "acknowledged task")
    purges = [deed for deed in audit.newest(plant.engine) if deed.action == "retention.purge"]
    assert [(deed.actor, deed.detail["count"]) for deed in purges] == [("maintenance", 1)]

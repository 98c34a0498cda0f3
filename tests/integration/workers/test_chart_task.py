"""The task that looks at the control charts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

from db.charts.baselines import freeze, proposed
from db.charts.chart import Chart
from db.charts.signals import signals
from db.session import engine_for
from linewatch.settings import Settings
from tests.support.charts import MONDAY, SHIFT, STEADY, a_product, after, steady, store_all
from tests.support.committed import committed
from workers.config import CHARTS_TASK, MAINTENANCE_QUEUE, celery_config
from workers.maintenance import charts


def test_beat_has_charts_looked_at_by_the_maintenance_worker(
    make_settings: Callable[..., Settings], sqlite_url: str
) -> None:
    settings = make_settings(database_url=sqlite_url, plant_timezone="UTC")
    config = celery_config(settings)
    assert config["task_routes"][CHARTS_TASK] == {"queue": MAINTENANCE_QUEUE}
    assert {"task": CHARTS_TASK, "schedule": 300.0} in config["beat_schedule"].values()
    engine, end = engine_for(sqlite_url), MONDAY + len(STEADY) * SHIFT
    a_product(engine, "bent")
    assert charts() == "no signal"
    store_all(engine, steady())
    chart = Chart("cable", by="n", n=100)  # whose points are looked at however old they are
    made = proposed(
        engine, chart, None, end, by="ann", why="a week", timezone=UTC, now=after(len(STEADY))
    )
    committed(engine, freeze, made)
    store_all(engine, [*steady(), *steady((30,), first=20)])
    assert "30.00% nonconforming" in charts()
    assert charts() == "no signal"
    assert len(signals(engine)) == 1

"""A metrics page is read back as it was written."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from linewatch.doctor.worker_figures import Stage, WorkerFigures, stages_of
from workers.health.metrics import WorkerMetrics
from workers.pipeline.stage_timing import Stage as Name


class Some(Collector):
    """The gauges of a worker with two models."""

    def collect(self) -> list[GaugeMetricFamily]:
        models = GaugeMetricFamily("linewatch_model_info", "", labels=["product", "version"])
        models.add_metric(["cable", "cable-3"], 1)
        models.add_metric(["widget", "widget-1"], 1)
        return [models, GaugeMetricFamily("linewatch_batch_limit", "", value=16)]


def test_a_workers_page() -> None:
    metrics = WorkerMetrics()
    metrics.registry.register(Some())
    for pictures in (32, 8):
        metrics.observe(Name.INFER, pictures, 0.5)
    metrics.observe(Name.DECODE, 1, 0.25)
    figures = WorkerFigures.parse(generate_latest(metrics.registry).decode())
    assert figures.stages["infer"] == Stage(2, 1.0)
    assert figures.stages["decode"] == Stage(1, 0.25)
    assert (figures.batches, figures.batched) == (2, 40)
    assert figures.models == ("cable-3", "widget-1")
    assert figures.gauges["linewatch_batch_limit"] == 16


def test_no_page_of_metrics() -> None:
    with pytest.raises(ValueError, match="html"):
        WorkerFigures.parse("<html>\n")
    assert WorkerFigures.parse("") == WorkerFigures()


def test_the_mean_batch_is_of_the_time_since_the_last_look() -> None:
    before, now = WorkerFigures(batches=10, batched=100), WorkerFigures(batches=12, batched=164)
    assert now.mean_batch(before) == 32
    assert now.mean_batch(None) == pytest.approx(164 / 12)
    assert now.mean_batch(now) is None
    assert before.mean_batch(now) is None  # it was started anew


def test_stages_of_several_workers() -> None:
    one = WorkerFigures({"infer": Stage(1, 2.0)})
    two = WorkerFigures({"infer": Stage(3, 4.0), "decode": Stage(5, 6.0)})
    assert stages_of({"a": one, "b": two}) == {"infer": Stage(4, 6.0), "decode": Stage(5, 6.0)}

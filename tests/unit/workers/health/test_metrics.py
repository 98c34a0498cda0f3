"""What a worker counts for Prometheus is there before anything was counted."""

from __future__ import annotations

from producer.contract import Verdict
from tests.support.records import a_record
from workers.health.metrics import WorkerMetrics


def counted(metrics: WorkerMetrics) -> dict[str, float]:
    """Pictures by verdict, as a scrape finds them."""
    return {
        sample.labels["verdict"]: sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "linewatch_pictures_total"
    }


def test_a_worker_that_judged_nothing_yet_shows_zeroes() -> None:
    """Else no alert says that messages wait and none is judged; nor does a rate see the first."""
    metrics = WorkerMetrics()
    assert counted(metrics) == dict.fromkeys(map(str, Verdict), 0)
    metrics.committed([a_record(verdict=Verdict.REJECTED), a_record(verdict=Verdict.REJECTED)])
    assert counted(metrics) == {**dict.fromkeys(map(str, Verdict), 0), "rejected": 2}

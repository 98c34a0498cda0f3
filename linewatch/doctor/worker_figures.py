"""What a worker's metrics endpoint says, as far as `linewatch top` shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

_STAGES, _BATCHES = "linewatch_stage_seconds", "linewatch_batch_size"


@dataclass(frozen=True, slots=True)
class Stage:
    """How often a stage of a worker ended, and how long that took in all, in seconds."""

    count: float
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkerFigures:
    """One worker's figures since its start.

    `batches` and `batched` are batches on the device and the pictures in them, `models` the
    versions it judges with, `gauges` whatever has no labels.
    """

    stages: Mapping[str, Stage] = field(default_factory=dict)
    batches: float = 0
    batched: float = 0
    models: tuple[str, ...] = ()
    gauges: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, page: str) -> WorkerFigures:
        """The figures in a page of Prometheus' text format.

        Raises:
            ValueError: it is no such page.
        """
        sums: Counter[tuple[str, str]] = Counter()
        gauges: dict[str, float] = {}
        models = []
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                what = sample.name.rpartition("_")[2]
                if family.name in (_STAGES, _BATCHES) and what in ("count", "sum"):
                    sums[sample.labels.get("stage", ""), what] = sample.value  # type: ignore[assignment]
                elif sample.name == "linewatch_model_info":
                    models.append(sample.labels["version"])
                elif family.type == "gauge" and not sample.labels:
                    gauges[sample.name] = sample.value
        names = dict.fromkeys(name for name, _ in sums if name)
        stages = {name: Stage(sums[name, "count"], sums[name, "sum"]) for name in names}
        return cls(stages, sums["", "count"], sums["", "sum"], tuple(models), gauges)

    def mean_batch(self, before: WorkerFigures | None) -> float | None:
        """Pictures a batch since `before`; None if there was no batch."""
        batches = self.batches - (before.batches if before else 0)
        if batches <= 0:  # none, or the worker started anew
            return None
        return (self.batched - (before.batched if before else 0)) / batches


def stages_of(workers: Mapping[str, WorkerFigures]) -> dict[str, Stage]:
    """The stages of all workers together."""
    names = dict.fromkeys(name for worker in workers.values() for name in worker.stages)
    return {name: _together(name, workers) for name in names}


def _together(name: str, workers: Mapping[str, WorkerFigures]) -> Stage:
    known = [worker.stages[name] for worker in workers.values() if name in worker.stages]
    return Stage(sum(stage.count for stage in known), sum(stage.seconds for stage in known))

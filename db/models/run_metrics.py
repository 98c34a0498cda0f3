"""What cross-validation found in a training run: figures by class, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, Engine, select

from db.base import table_of
from db.session import reading
from db.tables import ClassMetric, ConfusionCell, TrainingRun

_RUNS = table_of(TrainingRun)
_METRICS = table_of(ClassMetric)
_CELLS = table_of(ConfusionCell)


@dataclass(frozen=True, slots=True)
class ClassScore:
    """A class's figures; None where it had too few images to be tested, and `scored` False."""

    class_code: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    scored: bool = True


@dataclass(frozen=True, slots=True)
class ConfusionCount:
    """How many pictures of class `actual` were taken for `predicted`."""

    actual: str
    predicted: str
    count: int


@dataclass(frozen=True, slots=True)
class RunMetrics:
    """What cross-validation found."""

    accuracy: float | None
    macro_f1: float | None
    weighted_f1: float | None
    classes: Sequence[ClassScore] = ()
    confusion: Sequence[ConfusionCount] = ()


def store_metrics(connection: Connection, run_id: int, metrics: RunMetrics) -> None:
    """Write a run's classes and cells, in the transaction that ends the run."""
    classes = [_metric_row(run_id, score) for score in metrics.classes]
    cells = [{"training_run_id": run_id, **asdict(cell)} for cell in metrics.confusion]
    for table, rows in ((_METRICS, classes), (_CELLS, cells)):
        if rows:
            connection.execute(table.insert(), rows)


def run_metrics(engine: Engine, version: str) -> RunMetrics | None:
    """The figures of the run that made model `version`, or None if none here did."""
    c = _METRICS.c
    classes = select(c["class"], c.precision, c.recall, c.f1, c.support, c.scored)
    cells = select(_CELLS.c.actual, _CELLS.c.predicted, _CELLS.c.count)
    with reading(engine) as connection:
        query = select(_RUNS).where(_RUNS.c.model_version == version, _RUNS.c.state == "succeeded")
        run = connection.execute(query.order_by(_RUNS.c.id.desc()).limit(1)).one_or_none()
        if run is None:
            return None
        classes = classes.where(c.training_run_id == run.id).order_by(c["class"])
        cells = cells.where(_CELLS.c.training_run_id == run.id)
        cells = cells.order_by(_CELLS.c.actual, _CELLS.c.predicted)
        return RunMetrics(
            run.accuracy,
            run.macro_f1,
            run.weighted_f1,
            [ClassScore(*row) for row in connection.execute(classes)],
            [ConfusionCount(*row) for row in connection.execute(cells)],
        )


def _metric_row(run_id: int, score: ClassScore) -> dict[str, Any]:
    return {
        "training_run_id": run_id,
        "class": score.class_code,
        "precision": score.precision,
        "recall": score.recall,
        "f1": score.f1,
        "support": score.support,
        "scored": score.scored,
    }

"""Watches each camera for drift, in a thread of its own: committed verdicts in, alerts out.

A camera's first parts under a model are its baseline. It is kept in SQL, so that a worker that
starts later, on a line that has drifted by then, compares with the same parts.
"""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from itertools import islice
from threading import Event, Lock, Thread

import numpy as np
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db import alerts
from db import drift as baselines
from db.drift import Camera
from db.records import InspectionRecord
from model_store.drift import Baseline, DriftCharts, Sample, Signal, fit_baseline, project
from model_store.head import Floats
from producer.contract import Verdict

log = logging.getLogger(__name__)

ALERT = "drift"
PERIOD_S = 1.0
QUIET_PARTS = 200  # parts of a line without any alarm end the one that stands
_MOST_WAITING = 20_000  # records; more mean that the database is away, and drift can wait
_AT_ONCE = 256  # records
_MOST_CAMERAS = 500
_WORDS = {
    Signal.FEATURES: "its pictures look different",
    Signal.CONFIDENCE: "the model's confidence has changed",
    Signal.REVIEW: "more parts go to a person",
    Signal.REJECT: "more pictures cannot be judged",
}


class DriftWatch:
    """Compares cameras with their baselines.

    Args:
        engine: the database.
        baseline_parts: how many parts make a baseline.
        false_alarm: the chance of an alarm of a camera in 10,000 undrifted parts.
        period_s: how often what was committed is looked at.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        baseline_parts: int,
        false_alarm: float,
        period_s: float = PERIOD_S,
    ) -> None:
        self._engine = engine
        self._baseline_parts = baseline_parts
        self._false_alarm = false_alarm
        self._period_s = period_s
        self._waiting: deque[InspectionRecord] = deque(maxlen=_MOST_WAITING)
        self._cameras: OrderedDict[Camera, _Watched] = OrderedDict()
        self._latest: dict[tuple[str, str, str], Camera] = {}
        self._unsaid: set[tuple[Camera, Signal]] = set()  # alarms that are not in the database yet
        self._quiet: dict[tuple[str, str], int] = {}  # lines whose alarm stands: parts since
        self._table = Lock()
        self._stop = Event()
        self._thread = Thread(target=self._run, name="drift", daemon=True)

    def start(self) -> None:
        """Learn which alarms stand, and begin to watch."""
        for alert in alerts.open_alerts(self._engine):
            if alert.kind == ALERT:
                self._quiet[alert.product or "", alert.line or ""] = 0
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def note(self, records: Iterable[InspectionRecord]) -> None:
        """These verdicts were committed a moment ago. Costs nothing here."""
        self._waiting.extend(records)

    def scores(self) -> dict[tuple[Camera, Signal], float]:
        """Each camera's signals as shares of their limits, under its newest model."""
        with self._table:
            return {
                (camera, signal): score
                for camera in self._latest.values()
                if (watched := self._cameras.get(camera)) and watched.charts
                for signal, score in watched.charts.scores.items()
            }

    def check(self) -> None:
        """Look at what was committed since the last time."""
        while records := list(islice(self._waiting, _AT_ONCE)):
            for record, sample in zip(records, samples_of(records), strict=True):
                self._look(record, sample)
                self._waiting.popleft()  # last: what the database did not let be seen comes again

    def _look(self, record: InspectionRecord, sample: Sample) -> None:
        place = (record.product or "", record.line or "", record.camera or "")
        if record.model_version is not None:
            camera = Camera(*place, record.model_version)
        elif record.verdict is Verdict.REJECTED and place in self._latest:
            camera = self._latest[place]
        else:
            return
        watched = self._watched(place, camera)
        if watched.charts is None:
            watched.collect(record, sample)
            if len(watched.samples) >= self._baseline_parts:
                self._settle(camera, watched)
            return
        self._unsaid |= {(camera, s) for s in watched.charts.note(sample)}
        self._say()
        self._count_quiet(camera)

    def _watched(self, place: tuple[str, str, str], camera: Camera) -> _Watched:
        with self._table:
            known = self._cameras.get(camera)
            if known is not None:
                self._cameras.move_to_end(camera)
                return known
        watched = _Watched()
        kept = baselines.baseline(self._engine, camera)
        if kept is not None:
            watched.charts = DriftCharts(Baseline.model_validate_json(kept))
        with self._table:
            self._cameras[camera] = watched
            self._latest[place] = camera
            while len(self._cameras) > _MOST_CAMERAS:
                self._cameras.popitem(last=False)
        return watched

    def _settle(self, camera: Camera, watched: _Watched) -> None:
        made = watched.made or fit_baseline(watched.samples, false_alarm=self._false_alarm)
        watched.made = made  # it takes a second: not again because the database is away
        kept = baselines.keep(
            self._engine, camera, made.model_dump_json(), fingerprint=watched.fingerprint
        )
        watched.charts = DriftCharts(Baseline.model_validate_json(kept))
        watched.samples.clear()
        log.info("%s: drift is measured against its last %d parts", camera, made.parts)

    def _say(self) -> None:
        for camera, signal in sorted(self._unsaid):
            self._raise(camera, signal)
            self._unsaid.discard((camera, signal))

    def _raise(self, camera: Camera, signal: Signal) -> None:
        where = "/".join(filter(None, (camera.line, camera.camera))) or "an unnamed camera"
        message = (
            f"{where}, {camera.product}: drift, {_WORDS[signal]} than in its first parts under "
            f"{camera.model_version}; look at lamp, lens and material, then label some new parts"
        )
        log.warning("%s", message)
        alerts.raise_alert(
            self._engine,
            kind=ALERT,
            severity="warning",
            message=message,
            line=camera.line or None,
            product=camera.product or None,
        )
        self._quiet[camera.product, camera.line] = 0

    def _count_quiet(self, camera: Camera) -> None:
        """End a line's alarm after enough parts with none of its cameras in alarm."""
        line = (camera.product, camera.line)
        if line not in self._quiet:
            return
        of_line = [c for c in self._latest.values() if (c.product, c.line) == line]
        watched = [self._cameras[c] for c in of_line if c in self._cameras]
        alarmed = any(w.charts is not None and w.charts.alarmed for w in watched)
        self._quiet[line] = 0 if alarmed else self._quiet[line] + 1
        if self._quiet[line] >= QUIET_PARTS:
            alerts.resolve(self._engine, kind=ALERT, product=line[0] or None, line=line[1] or None)
            del self._quiet[line]
            log.info("%s: no drift in the last %d parts", "/".join(line), QUIET_PARTS)

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            try:
                self.check()
            except SQLAlchemyError as error:
                log.warning("drift is not looked at: %s", error)
            except Exception:  # the only one who looks must not die
                log.exception("a record breaks the drift watch and is left out")
                self._waiting.popleft()


class _Watched:
    """A camera: the samples of its baseline until that is whole, and then its charts."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.made: Baseline | None = None
        self.charts: DriftCharts | None = None
        self.fingerprint = ""

    def collect(self, record: InspectionRecord, sample: Sample) -> None:
        self.samples.append(sample)
        if record.features is not None:
            self.fingerprint = record.features.fingerprint


def samples_of(records: Sequence[InspectionRecord]) -> list[Sample]:
    """Committed rows as the charts see them; their features are projected together."""
    projections = _projections(records)
    return [
        Sample(
            projections=projections.get(index),
            confidence=record.confidence if record.verdict.judged else None,
            review=record.verdict is Verdict.REVIEW if record.verdict.judged else None,
            rejected=record.verdict is Verdict.REJECTED,
        )
        for index, record in enumerate(records)
    ]


def _projections(records: Sequence[InspectionRecord]) -> dict[int, Floats]:
    """Float64 [12] by the index of the record; none where features are missing or not finite."""
    by_length: dict[int, dict[int, bytes]] = {}
    for index, record in enumerate(records):
        vector = b"" if record.features is None else record.features.vector
        if vector and len(vector) % 2 == 0:
            by_length.setdefault(len(vector), {})[index] = vector
    found: dict[int, Floats] = {}
    for kept in by_length.values():
        numbers = np.frombuffer(b"".join(kept.values()), dtype="<f2").reshape(len(kept), -1)
        matrix = numbers.astype(np.float64)
        finite = np.asarray(np.isfinite(matrix).all(axis=1))
        matrix[~finite] = 0
        rows = zip(kept, finite, project(matrix), strict=True)
        found |= {index: row for index, known, row in rows if known}
    return found

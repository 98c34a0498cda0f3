"""Watches each camera for drift, in a thread of its own: committed verdicts in, alerts out.

A camera's first parts under a model are its baseline. It is kept in SQL, so that a worker that
starts later, on a line that has drifted by then, compares with the same parts.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from threading import Lock

import numpy as np
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from db import alerts
from db.challenges.pictures import challenge_ids
from db.inspections.records import InspectionRecord
from db.models import drift as baselines
from db.models.drift import ALERT, Camera, Kept
from db.session import transaction
from producer.contract import Verdict
from quality.arrays import Floats
from quality.drift.drift import (
    Baseline,
    DriftCharts,
    OpticsBaseline,
    Sample,
    Signal,
    fit_baseline,
    fit_optics,
    project,
)
from workers.health.periodic_thread import PeriodicThread

log = logging.getLogger(__name__)

PERIOD_S = 1.0
LOOK_UP_S = 10.0
QUIET_PARTS = 200  # parts of a line without any alarm end the one that stands
_MOST_WAITING = 20_000  # records; more mean that the database is away, and drift can wait
_AT_ONCE = 256  # records
_MOST_CAMERAS = 500
DRIFT = (
    "{camera}, {product}: drift, {change} than in its first parts under {version}; look at lamp, "
    "lens and material, then label some new parts"
)
_WORDS = {
    Signal.FEATURES: "its pictures look different",
    Signal.CONFIDENCE: "the model's confidence has changed",
    Signal.REVIEW: "more parts go to a person",
    Signal.REJECT: "more pictures cannot be judged",
    Signal.LIGHT: "its pictures are darker or brighter",
    Signal.FOCUS: "its pictures are more blurred or sharper",
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
        self._waiting: deque[InspectionRecord] = deque(maxlen=_MOST_WAITING)
        self._cameras: OrderedDict[Camera, _Watched] = OrderedDict()
        self._latest: dict[tuple[str, str, str], Camera] = {}
        self._unsaid: set[tuple[Camera, Signal]] = set()  # alarms that are not in the database yet
        self._quiet: dict[tuple[str, str], int] = {}  # lines whose alarm stands: parts since
        self._next_look_up = 0.0
        self._table = Lock()
        self._thread = PeriodicThread(
            "drift",
            self._watch,
            period_s,
            failed="drift is not looked at",
            expected=(SQLAlchemyError,),
        )

    def start(self) -> None:
        """Learn which alarms stand, and begin to watch."""
        self._look_up()
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._thread.stop()

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
        if self._waiting and time.monotonic() >= self._next_look_up:
            self._look_up()
        while records := list(islice(self._waiting, _AT_ONCE)):
            challenges = challenge_ids(self._engine, records)
            for record, sample in zip(records, samples_of(records), strict=True):
                if record.id not in challenges:
                    self._look(record, sample)
                self._waiting.popleft()  # last: what the database did not let be seen comes again

    def _look_up(self) -> None:
        """Which alarms stand, and which baselines hold: others raise, end and forget them too."""
        found = [alert for alert in alerts.open_alerts(self._engine) if alert.kind == ALERT]
        lines = [(alert.product or "", alert.line or "") for alert in found]
        self._quiet = {line: self._quiet.get(line, 0) for line in lines}
        self._drop_forgotten()
        self._next_look_up = time.monotonic() + LOOK_UP_S

    def _drop_forgotten(self) -> None:
        """A line that was changed on purpose starts anew: see `linewatch lines rebaseline`."""
        charted = {camera: w.made_at for camera, w in self._cameras.items() if w.charts}
        hold = baselines.made_at(self._engine, charted)
        gone = {camera for camera, at in charted.items() if hold.get(camera) != at}
        with self._table:
            for camera in gone:
                del self._cameras[camera]
            self._latest = {place: c for place, c in self._latest.items() if c not in gone}
        self._unsaid = {(camera, signal) for camera, signal in self._unsaid if camera not in gone}

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
        if not watched.charts.watches_optics and sample.optics is not None:
            watched.collect(record, sample)
            if len(watched.samples) >= self._baseline_parts:
                self._settle_optics(camera, watched, watched.charts)
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
            watched.compare_with(kept)
            if kept.optics is None:
                log.info(
                    "%s: no light and focus in its baseline; its next %d parts are theirs",
                    camera,
                    self._baseline_parts,
                )
        with self._table:
            self._cameras[camera] = watched
            self._latest[place] = camera
            while len(self._cameras) > _MOST_CAMERAS:
                gone, _ = self._cameras.popitem(last=False)
                if self._latest.get(gone[:3]) == gone:
                    del self._latest[gone[:3]]
        return watched

    def _settle(self, camera: Camera, watched: _Watched) -> None:
        made = watched.made
        if made is None:  # it takes a second: not again because the database is away
            baseline = fit_baseline(watched.samples, false_alarm=self._false_alarm)
            optics = fit_optics(watched.samples, false_alarm=self._false_alarm)
            made = watched.made = Kept(
                baseline.model_dump_json(), None if optics is None else optics.model_dump_json()
            )
        with transaction(self._engine) as connection:
            kept = baselines.keep(connection, camera, made, fingerprint=watched.fingerprint)
        watched.compare_with(kept)
        log.info("%s: drift is measured against its last %d parts", camera, len(watched.samples))
        watched.samples.clear()

    def _settle_optics(self, camera: Camera, watched: _Watched, charts: DriftCharts) -> None:
        """Light and focus of a camera whose other charts are of before they were measured."""
        made = watched.made_optics
        if made is None:
            made = watched.made_optics = fit_optics(watched.samples, false_alarm=self._false_alarm)
        if made is None:
            return
        with transaction(self._engine) as connection:
            kept = baselines.keep_optics(connection, camera, made.model_dump_json())
        holds = None if kept is None else kept.optics
        charts.watch(made if holds is None else OpticsBaseline.model_validate_json(holds))
        watched.samples.clear()
        log.info("%s: light and focus are measured against its last %d parts", camera, made.parts)

    def _say(self) -> None:
        for camera, signal in sorted(self._unsaid):
            self._raise(camera, signal)
            self._unsaid.discard((camera, signal))

    def _raise(self, camera: Camera, signal: Signal) -> None:
        where = "/".join(filter(None, (camera.line, camera.camera))) or "an unnamed camera"
        of = {"camera": where, "product": camera.product, "version": camera.model_version}
        message = DRIFT.format(**of, change=_WORDS[signal])
        log.warning("%s", message)
        with transaction(self._engine) as connection:
            alerts.raise_alert(
                connection,
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
            product, name = line[0] or None, line[1] or None
            with transaction(self._engine) as connection:
                alerts.resolve(connection, kind=ALERT, product=product, line=name)
            del self._quiet[line]
            log.info("%s: no drift in the last %d parts", "/".join(line), QUIET_PARTS)

    def _watch(self) -> None:
        try:
            self.check()
        except SQLAlchemyError:
            raise  # the record is looked at again
        except Exception:
            log.exception("a record breaks the drift watch and is left out")
            self._waiting.popleft()


class _Watched:
    """A camera: the samples of its baseline until that is whole, and then its charts.

    Charts without light and focus go on beside samples of theirs.
    """

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.made: Kept | None = None
        self.made_optics: OpticsBaseline | None = None
        self.charts: DriftCharts | None = None
        self.made_at: datetime | None = None
        self.fingerprint = ""

    def compare_with(self, kept: Kept) -> None:
        optics = None if kept.optics is None else OpticsBaseline.model_validate_json(kept.optics)
        self.charts = DriftCharts(Baseline.model_validate_json(kept.baseline), optics)
        self.made_at = kept.made_at

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
            optics=record.optics,
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
        # Copies: a row of the matrix would keep all of it, for as long as a camera its samples.
        found |= {index: row.copy() for index, known, row in rows if known}
    return found

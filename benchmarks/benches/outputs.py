"""From the camera to a subscriber of an MQTT broker, and how fast a backlog is told.

A worker with the compact encoders judges pictures that arrive as a Poisson process at a fifth of
its capacity; `linewatch outputs run` tells a real Mosquitto on this machine. Of each picture the
clock runs from `Camera.submit`, and from the database's own time of its commit, until a subscriber
has the message. The backlog is committed while nobody tells it, then told by one receiver; its
time is from the first message to the last at the subscriber, who checks order and completeness.
The commit is that of the benchmark `commit`, on the same history, of a line with a receiver.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine

from benchmarks.arrivals import poisson
from benchmarks.benches.commit import NOW, SIZE, THEN, in_turns, pairs_a_round
from benchmarks.benches.pipeline import files_for_a_run
from benchmarks.contender import TORCH
from benchmarks.history.committing import Committing, before
from benchmarks.history.databases import about, filled, filled_before
from benchmarks.intervals import of_rates, of_values
from benchmarks.paired import Turns, as_row, interleave, quantile, ratio
from benchmarks.plant import BenchPlant
from benchmarks.report import Findings
from benchmarks.scale import again, rounds, scaled
from benchmarks.workplace import ROOT, Workplace, child_environment, say
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.outbox import cursors
from db.session import engine_for, transaction
from linewatch.errors import ServiceError
from linewatch.services import ServiceGroup, python_command
from linewatch.settings import Settings
from producer.contract import Verdict
from producer.uuid7 import uuid7
from tests.support.mosquitto import Listener, Mosquitto

LOAD = 0.2
LINE, NAME = "line-1", "bench"
_SECONDS, _QUICK_SECONDS = 20.0, 8.0  # a round
_BACKLOG, _QUICK_BACKLOG = 100_000, 20_000
_BATCH = 256
_STALLED_S = 120.0  # without a message
_numbers = count()


@dataclass(frozen=True, slots=True)
class Waits:
    """One round, ms: to the subscriber, from `submit` and from the commit."""

    from_camera: list[float]
    from_commit: list[float]


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Measure on PostgreSQL where there is one."""
    findings = Findings({"load": LOAD, "encoders": "compact", "rounds": rounds(quick)})
    findings.settings["database"] = workplace.main_database
    _latency(workplace, findings, quick=quick)
    _backlog(workplace, findings, quick=quick)
    if workplace.no_postgresql:
        findings.skip("commit", workplace.no_postgresql)
    else:
        _commit(workplace, findings, quick=quick)
    return findings


def _latency(workplace: Workplace, findings: Findings, *, quick: bool) -> None:
    url = workplace.database_url(workplace.main_database)
    settings = workplace.settings("outputs", url, encoders="compact")
    with ExitStack() as stack:
        bare = stack.enter_context(workplace.bare(TORCH, settings))
        version = bare.fit(workplace.pictures, "cable")
        plant = stack.enter_context(BenchPlant(settings, TORCH))
        plant.deploy(version)
        plant.start()
        paths = files_for_a_run(workplace, bare, settings.max_batch)
        plant.images_per_s(paths[: max(2, len(paths) // 4)])  # warm
        capacity = plant.images_per_s(paths)
        broker = stack.enter_context(_broker(workplace.folder / "broker"))
        stack.enter_context(_outputs(settings, broker))
        listener = Listener(broker.port)
        stack.callback(listener.close)
        say(f"{capacity:.1f} images/s at most; {rounds(quick)} rounds at {LOAD:.0%}")
        rate, seconds = LOAD * capacity, _QUICK_SECONDS if quick else _SECONDS
        way = partial(_round, plant, listener, workplace, rate, seconds)
        turns: Turns[Waits] = interleave({"told": way}, rounds(quick), again=again(quick))
        plant.check_judged()
    findings.keep("told", turns)
    for name, waits in (
        ("from camera", [w for one in turns["told"] for w in one.from_camera]),
        ("from commit", [w for one in turns["told"] for w in one.from_commit]),
    ):
        shares = {f"p{round(100 * s)}_ms": quantile(waits, s) for s in (0.5, 0.95, 0.99)}
        findings.rows.append({"what": name, "images_per_s": rate, "images": len(waits), **shares})
    for share in (0.5, 0.99):
        found = of_values([quantile(one.from_commit, share) for one in turns["told"]])
        findings.ratios[f"told_minus_committed_p{round(100 * share)}_ms"] = as_row(found, turns)


def _round(
    plant: BenchPlant, listener: Listener, workplace: Workplace, rate: float, seconds: float
) -> Waits:
    files = cycle(picture.path for picture in workplace.pictures)
    number = scaled(round(rate * seconds), least=5)
    submitted: dict[str, float] = {}
    first = len(listener.messages)
    for at in poisson(rate, number):
        part = f"B{next(_numbers):08}"
        submitted[part] = at
        plant.camera.submit(next(files), part=part)
    arrived = _await(listener, first, submitted, plant.group)
    waits = Waits([], [])
    for part, at in submitted.items():
        moment, committed = arrived[part]
        waits.from_camera.append(1000 * (moment - at))
        waits.from_commit.append(1000 * (moment - committed))
    return waits


def _await(
    listener: Listener, first: int, wanted: dict[str, float], group: ServiceGroup
) -> dict[str, tuple[float, float]]:
    """Part to when it was told, and when it was committed."""
    _until_told(listener, first + len(wanted), group)
    found = {}
    for message, at in zip(listener.messages[first:], listener.arrived[first:], strict=True):
        told = json.loads(message.payload)
        found[told["part"]] = (at, datetime.fromisoformat(told["committed_at"]).timestamp())
    return found


def _until_told(listener: Listener, total: int, group: ServiceGroup) -> None:
    """Wait for so many messages.

    Raises:
        ServiceError: for long none came, or a program ended.
    """
    before, deadline = -1, 0.0
    while (count := len(listener.messages)) < total:
        group.check()
        if count > before:
            before, deadline = count, time.monotonic() + _STALLED_S
        if time.monotonic() > deadline:
            raise ServiceError(f"for {_STALLED_S:.0f} s it stood at {count} of {total} told")
        time.sleep(0.05)


@contextmanager
def _broker(folder: Path) -> Iterator[Mosquitto]:
    folder.mkdir()
    broker = Mosquitto(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.end()


@contextmanager
def _outputs(settings: Settings, broker: Mosquitto) -> Iterator[ServiceGroup]:
    """`linewatch outputs run`, once it has told the broker that the line is there."""
    path = settings.data_dir / "outputs.yaml"
    gate: dict[str, Any] = {"name": NAME, "kind": "mqtt", "host": "127.0.0.1", "tls": False}
    gate |= {"port": broker.port}
    path.write_text(yaml.safe_dump({"lines": {LINE: {"receivers": [gate]}}}))
    listener = Listener(broker.port, "linewatch/+/state")
    everything = {**child_environment(settings), "LINEWATCH_OUTPUTS_FILE": str(path)}
    with ServiceGroup(settings.data_dir / "logs", everything) as group:
        group.start("outputs", python_command("linewatch", "outputs", "run"))
        group.wait_until("outputs", lambda: "online" in listener.states, 60)
        listener.close()
        yield group


def _backlog(workplace: Workplace, findings: Findings, *, quick: bool) -> None:
    total = scaled(_QUICK_BACKLOG if quick else _BACKLOG)
    for kind in workplace.databases:
        url = workplace.database_url(kind)
        settings = workplace.settings(f"backlog-{kind}", url)
        engine = engine_for(url)
        say(f"{kind}: a backlog of {total}")
        with transaction(engine) as connection:
            cursors.register(connection, LINE, [NAME])
        parts = list(_committed(engine, total))
        with _broker(workplace.folder / f"broker-{kind}") as broker:
            listener = Listener(broker.port, "linewatch/+/verdict")
            with _outputs(settings, broker) as group:
                _until_told(listener, total, group)
            listener.close()
        told = [one["part"] for one in listener.results]
        if told != parts:
            raise ServiceError("the backlog was not told in order and once")
        rate = (total - 1) / (listener.arrived[-1] - listener.arrived[0])
        findings.rows.append({"what": f"backlog, {kind}", "images": total, "told_per_s": rate})
        findings.ratios.setdefault("backlog_told_per_s", rate)


def _committed(engine: Engine, total: int) -> Iterator[str]:
    for start in range(0, total, _BATCH):
        now = datetime.now(UTC)
        records = [
            InspectionRecord(
                id=uuid7(),
                verdict=Verdict.PASS,
                decided_at=now,
                product="cable",
                line=LINE,
                camera="cam-1",
                part=f"R{number:08}",
                captured_at=now - timedelta(seconds=1),
                defect_class="good",
                confidence=0.9,
                model_version="cable-1",
            )
            for number in range(start, min(total, start + _BATCH))
        ]
        commit_inspections(engine, records, UTC)
        yield from (str(record.part) for record in records)


def _commit(workplace: Workplace, findings: Findings, *, quick: bool) -> None:
    old = before(workplace.folder / "0.1.0")
    url, old_url = filled(workplace, quick=quick), filled_before(workplace, old, quick=quick)
    findings.settings |= {"history": about(url), "history of 0.1.0": about(old_url)}
    with transaction(engine_for(url)) as connection:
        cursors.register(connection, LINE, [NAME])
    try:
        with Committing(ROOT, url, SIZE) as new, Committing(old, old_url, SIZE) as then:
            turns = in_turns(new, then, pairs_a_round(quick), quick=quick)
    finally:  # the history is kept for the next run
        with transaction(engine_for(url)) as connection:
            cursors.forget(connection, LINE, NAME)
    findings.keep("commit", turns)
    name = "commit_with_outbox_to_0_1_0"
    findings.ratios[name] = ratio(turns, NOW, THEN)
    for contender, values in turns.results.items():
        milliseconds = of_rates([1000 / each for each in values]).as_row()
        findings.rows.append({"what": f"commit, {contender}", "ms_a_message": milliseconds})

"""How the week goes: everything at once, twice, late and in the wrong order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from db.calendars.ahead import ensure_spans
from db.calendars.imports import imported
from db.calendars.recount import recounted
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.inspections.requeues import allow
from db.labels import decisions
from db.labels.labels import add_labels
from db.products import register
from db.retention.queries import purge_inspections
from linewatch.calendar_file import parse_calendars
from linewatch.products import parse_product
from tests.support.committed import committed
from tests.support.planted.clock import DAY_0, SHIFTS, ZONE
from tests.support.planted.parts import CABLE, CAP, GAP_S, PLUG, Week

_BATCH = 16
PURGED_BEFORE = DAY_0 + timedelta(days=3)


def play(engine: Engine, week: Week, zone: ZoneInfo) -> None:
    """From an empty plant to the end of the week."""
    rng = random.Random(week.seed)
    _plant(engine)
    committed(engine, decisions.add, week.before)
    # A calendar comes when half of the pictures are counted by the plant's.
    _import(engine, "")
    half = len(week.pictures) // 2
    rng.shuffle(week.pictures)
    _race(engine, week.pictures[:half], zone)
    _import(engine, "L1", "L3")
    _race(engine, week.pictures[half:], zone)
    _people(engine, week)
    committed(engine, allow, 1, [one.id for one in week.again], by="ann")
    _race(engine, week.again, zone)
    _deliver(engine, rng.sample(week.pictures, 60), zone)
    _purge(engine)
    rng.shuffle(week.late)
    _race(engine, week.late, zone)
    committed(engine, decisions.add, week.after)


def _plant(engine: Engine) -> None:
    classes = [{"code": "ok", "good": True}, {"code": "bent"}, {"code": "burnt"}]
    for product, options in (
        (PLUG, {"views": ["top", "side"], "pass_gap_s": GAP_S}),
        (CABLE, {"serial_unique_within": "lot"}),
        (CAP, {"serial_unique_within": "day"}),
    ):
        said: dict[str, Any] = {"product": product, "classes": classes, **options}
        committed(engine, register, parse_product(said, "a test"))


def _import(engine: Engine, *lines: str) -> None:
    calendars = []
    for line in lines:
        shifts = [dict(zip(("name", "starts", "ends"), one, strict=True)) for one in SHIFTS[line]]
        if line == "L3":
            shifts = [{**one, "days": "mon-fri"} for one in shifts]
        calendars.append({"valid_from": "2000-01-01", "lines": line or "all", "shifts": shifts})
    committed(engine, ensure_spans, ZoneInfo(ZONE))
    specs = parse_calendars({"calendars": calendars}, ZONE, "a test")
    recounted(engine, committed(engine, imported, specs, by="ann"))


def _race(engine: Engine, records: Sequence[InspectionRecord], zone: ZoneInfo) -> None:
    """Two workers, to one of them everything in the opposite order; a few pictures go to both."""
    common = records[::9]
    first = [*records[::2], *common]
    second = [*reversed(records[1::2]), *reversed(common)]
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(partial(_deliver, engine, zone=zone), (first, second)):
            assert done is None


def _deliver(engine: Engine, records: Sequence[InspectionRecord], zone: ZoneInfo) -> None:
    for start in range(0, len(records), _BATCH):
        commit_inspections(engine, records[start : start + _BATCH], zone)


def _people(engine: Engine, week: Week) -> None:
    """One labels, one decides, at the same time."""
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(committed, engine, add_labels, week.labels[start : start + _BATCH])
            for start in range(0, len(week.labels), _BATCH)
        ]
        jobs += [
            pool.submit(committed, engine, decisions.add, week.decisions[start : start + _BATCH])
            for start in range(0, len(week.decisions), _BATCH)
        ]
        for job in jobs:
            job.result()


def _purge(engine: Engine) -> None:
    products = [PLUG, CABLE, CAP]
    for product in (*products, ""):
        while committed(engine, purge_inspections, (product, products), PURGED_BEFORE, 200):
            pass

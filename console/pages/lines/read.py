"""Makes the page of lines of what the database, Redis and the workers say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import redis

from console.pages.lines.context import CameraTile, LineRate, Lines, LineTile, TilePicture
from console.site import Site
from db.status.shift_rates import ShiftRate
from db.status.silence import CameraState
from db.status.snapshot import CameraNow, LineNow, snapshot
from linewatch.redis_access.client import quick_client
from producer.contract import Verdict
from producer.queue_state import QueueState, queue_state
from workers.fleet import Fleet, FleetWorker

_UNJUDGED = (Verdict.REJECTED, Verdict.DEAD_LETTER)


def look(site: Site, fleet: Fleet) -> Lines:
    """The lines now.

    Raises:
        sqlalchemy.exc.DBAPIError: the database is away.
    """
    settings = site.settings
    silent_after = timedelta(seconds=settings.camera_silent_s)
    found = snapshot(site.engine, settings.timezone, silent_after)
    queue, troubles = _queue(site)
    workers = fleet.latest() if queue is not None else None
    known = {worker.name: worker for worker in workers or ()}
    oldest = queue.oldest_age_s if queue else None
    return Lines(
        at=found.at,
        queue_depth=queue.depth if queue else None,
        oldest_at=None if oldest is None else found.at - timedelta(seconds=round(oldest)),
        workers=None if workers is None else sum(one.inspecting for one in workers),
        troubles=troubles,
        lines=[_line(line) for line in found.lines],
        cameras=[_camera(camera, known) for line in found.lines for camera in line.cameras],
    )


def _queue(site: Site) -> tuple[QueueState | None, list[str]]:
    try:
        with quick_client(site.settings) as client:
            return queue_state(client), []
    except redis.RedisError:
        return None, ["Redis does not answer: what waits in the queue is not known"]


def _line(line: LineNow) -> LineTile:
    silent = sum(one.state is CameraState.SILENT for one in line.cameras)
    rates = [_rate(one) for one in line.rates]
    outside = any(one.standing == "outside" for one in rates)
    bad = silent or outside or line.verification == "missed"
    return LineTile(
        line=line.line,
        shift=line.shift.name if line.shift else "",
        shift_since=line.shift.starts if line.shift else None,
        rates=rates,
        verification=line.verification,
        verified_at=line.verified_at,
        alerts=line.alerts,
        silent=silent,
        state="bad" if bad else "open" if line.alerts else "good",
    )


def _rate(one: ShiftRate) -> LineRate:
    tally, limits = one.tally, one.limits
    standing = "no_limits"
    if limits is not None:
        standing = "outside" if one.outside else "provisional" if one.provisional else "inside"
    return LineRate(
        product=one.product,
        parts=tally.parts,
        conforming=tally.conforming,
        nonconforming=tally.nonconforming,
        open=tally.open,
        rate=tally.rate,
        lower=limits.lower if limits else None,
        upper=limits.upper if limits else None,
        standing=standing,
    )


def _camera(camera: CameraNow, workers: Mapping[str, FleetWorker]) -> CameraTile:
    last = camera.pictures[0] if camera.pictures else None
    said = workers.get(last.worker or "") if last else None
    verdicts = camera.verdicts
    return CameraTile(
        line=camera.line,
        camera=camera.camera,
        state=camera.state,
        last_at=camera.last_at,
        passed=verdicts.get(str(Verdict.PASS), 0),
        defects=verdicts.get(str(Verdict.DEFECT), 0),
        review=verdicts.get(str(Verdict.REVIEW), 0),
        unjudged=sum(verdicts.get(str(verdict), 0) for verdict in _UNJUDGED),
        worker=last.worker if last else None,
        device=said.device if said else "",
        model=last.model_version if last else None,
        pictures=[
            TilePicture(
                id=one.id,
                part=one.part,
                product=one.product,
                verdict=one.verdict,
                defect_class=one.defect_class,
                decided_at=one.decided_at,
            )
            for one in camera.pictures
        ],
    )

"""Conditions of lines, cameras and backlogs, from what was looked up. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta, tzinfo

from db.alerting.conditions import Condition
from db.status.silence import CameraState
from db.status.snapshot import LineNow, Snapshot
from db.status.verified import Verification
from linewatch.alerting.rules import ReviewBacklog, Rule, Rules, ShiftUnverified

CAMERA, BACKLOG, UNVERIFIED = "camera_silent", "review_backlog", "shift_unverified"
SILENT_CAMERA = (
    "{line}: camera {camera} sends nothing since {since}; look at the camera, its PC, and "
    "`linewatch spool status` there"
)
WAITING_PARTS = (
    "{line}: {parts} parts wait for a person, the oldest for {hours} h; decide them on the "
    "console's review page"
)
NOT_VERIFIED = (
    "{line}: shift {shift} of {day} is not verified; send known bad parts through it: "
    "`linewatch challenge start {line}`"
)


def of_lines(rules: Rules, lines: Snapshot, timezone: tzinfo) -> Iterator[Condition]:
    """Silent cameras, and shifts that are not verified."""
    for line in lines.lines:
        if _covers(rules.camera_silent, line.line):
            yield from _silent(line, rules.camera_silent.severity, timezone)
        if _covers(rules.shift_unverified, line.line):
            yield from _unverified(line, rules.shift_unverified, lines)


def of_backlog(rule: ReviewBacklog, rows: Iterable[Mapping[str, object]]) -> Iterator[Condition]:
    """Lines of which too many parts wait for a person, or one for too long.

    Args:
        rows: those of `db.reports.backlog`.
    """
    parts: dict[str, int] = {}
    oldest: dict[str, float] = {}
    for row in rows:
        line, age_h = str(row["line"]), row["oldest_age_h"]
        parts[line] = parts.get(line, 0) + int(str(row["parts"]))
        if isinstance(age_h, float):
            oldest[line] = max(oldest.get(line, 0.0), age_h)
    for line, count in parts.items():
        age_h = oldest.get(line, 0.0)
        if _covers(rule, line) and (count >= rule.parts or age_h >= rule.oldest_h):
            yield Condition(
                BACKLOG,
                rule.severity,
                WAITING_PARTS.format(line=line or "–", parts=count, hours=f"{age_h:.0f}"),
                line=line or None,
            )


def _silent(line: LineNow, severity: str, timezone: tzinfo) -> Iterator[Condition]:
    for camera in line.cameras:
        if camera.state is CameraState.SILENT and camera.last_at is not None:
            since = f"{camera.last_at.astimezone(timezone):%Y-%m-%d %H:%M:%S}"
            yield Condition(
                CAMERA,
                severity,
                SILENT_CAMERA.format(line=camera.line, camera=camera.camera, since=since),
                line=camera.line,
                source=camera.camera,
            )


def _unverified(line: LineNow, rule: ShiftUnverified, lines: Snapshot) -> Iterator[Condition]:
    shift = line.shift
    if shift is None or not shift.name or line.verification is not Verification.DUE:
        return  # a line that was never challenged is verified in some other way
    produces = any(rate.tally.parts for rate in line.rates)
    if produces and lines.at - shift.starts >= timedelta(minutes=rule.after_min):
        yield Condition(
            UNVERIFIED,
            rule.severity,
            NOT_VERIFIED.format(line=line.line, shift=shift.name, day=shift.day),
            line=line.line,
        )


def _covers(rule: Rule, line: str) -> bool:
    return rule.on and (not rule.lines or line in rule.lines)

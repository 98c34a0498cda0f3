"""Who is told of what, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.alerting.notices import Key, Notice
from db.alerts import AlertInfo
from linewatch.alerting.due import due
from linewatch.alerting.messages import MOST, of_alerts
from linewatch.alerting.quiet import Quiet
from linewatch.alerting.rules import Channel

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
BERLIN = ZoneInfo("Europe/Berlin")


def an_alert(**fields: Any) -> AlertInfo:
    usual = {
        "id": 7,
        "raised_at": NOON,
        "kind": "camera_silent",
        "severity": "warning",
        "line": "L1",
        "product": None,
        "message": "L1/C1 sends nothing",
        "resolved_at": None,
    }
    return AlertInfo(**{**usual, **fields})


def a_notice(what: str, *, told: float | None, number: int = 0, next_min: float = 0) -> Notice:
    """Told so many minutes after noon, or to be tried again then."""
    return Notice(
        Key("alert:7", "day", what, number),
        NOON,
        None if told is None else NOON + timedelta(minutes=told),
        1,
        NOON + timedelta(minutes=next_min) if told is None else None,
        None,
    )


def told_now(
    channel: Channel, alert: AlertInfo, *notices: Notice, minutes: float = 0
) -> tuple[str, int] | None:
    key = due("day", channel, alert, notices, NOON + timedelta(minutes=minutes), UTC)
    return None if key is None else (key.what, key.number)


def test_an_alert_is_told_once() -> None:
    channel = Channel(to=("json://x",))
    assert told_now(channel, an_alert()) == ("raised", 0)
    assert told_now(channel, an_alert(), a_notice("raised", told=0), minutes=600) is None


def test_what_another_channel_was_told_does_not_count() -> None:
    other = Notice(Key("alert:7", "night", "raised"), NOON, NOON, 1, None, None)
    assert told_now(Channel(to=("json://x",)), an_alert(), other) == ("raised", 0)


def test_it_is_repeated_until_somebody_acknowledges() -> None:
    channel = Channel(to=("json://x",), repeat_min=30)
    raised = a_notice("raised", told=0)
    assert told_now(channel, an_alert(), raised, minutes=29) is None
    assert told_now(channel, an_alert(), raised, minutes=30) == ("repeat", 1)
    again = a_notice("repeat", told=30, number=1)
    assert told_now(channel, an_alert(), raised, again, minutes=59) is None
    assert told_now(channel, an_alert(), raised, again, minutes=60) == ("repeat", 2)
    known = an_alert(acknowledged_at=NOON, acknowledged_by="ida")
    assert told_now(channel, known, raised, minutes=600) is None


def test_what_failed_is_tried_again_in_time() -> None:
    channel = Channel(to=("json://x",))
    failed = a_notice("raised", told=None, next_min=10)
    assert told_now(channel, an_alert(), failed, minutes=9) is None
    assert told_now(channel, an_alert(), failed, minutes=10) == ("raised", 0)


def test_its_end_is_told_where_its_beginning_was() -> None:
    channel = Channel(to=("json://x",), tell_closed=True)
    over = an_alert(resolved_at=NOON)
    assert told_now(channel, over) is None
    assert told_now(channel, over, a_notice("raised", told=0)) == ("closed", 0)
    assert told_now(Channel(to=("json://x",)), over, a_notice("raised", told=0)) is None
    both = (a_notice("raised", told=0), a_notice("closed", told=1))
    assert told_now(channel, over, *both, minutes=5) is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"at_least": "critical"}, False),
        ({"kinds": ("chart",)}, False),
        ({"kinds": ("camera_silent",)}, True),
        ({"lines": ("L2",)}, False),
        ({"lines": ("L1",)}, True),
        ({"alerts": False}, False),
    ],
)
def test_a_channel_chooses(fields: dict[str, Any], told: bool) -> None:
    assert (told_now(Channel(to=("json://x",), **fields), an_alert()) is not None) is told


def test_quiet_hours_wait_for_what_can_wait() -> None:
    quiet = Quiet(starts="22:00", ends="06:00", days="mon-fri")
    channel = Channel(to=("json://x",), quiet=quiet)
    night = 11 * 60  # 23:00
    assert told_now(channel, an_alert(), minutes=night) is None
    assert told_now(channel, an_alert(severity="critical"), minutes=night) == ("raised", 0)
    assert told_now(channel, an_alert(), minutes=18 * 60) == ("raised", 0)  # 06:00


@pytest.mark.parametrize(
    ("at", "held"),
    [
        (datetime(2026, 3, 6, 21, 59, tzinfo=BERLIN), False),  # Friday
        (datetime(2026, 3, 6, 22, 0, tzinfo=BERLIN), True),
        (datetime(2026, 3, 7, 5, 59, tzinfo=BERLIN), True),  # the night that began on Friday
        (datetime(2026, 3, 7, 6, 0, tzinfo=BERLIN), False),
        (datetime(2026, 3, 7, 22, 0, tzinfo=BERLIN), False),  # Saturday
        (datetime(2026, 3, 9, 5, 0, tzinfo=BERLIN), False),  # the night that began on Sunday
    ],
)
def test_quiet_nights_belong_to_the_day_they_begin_on(at: datetime, held: bool) -> None:
    quiet = Quiet(starts="22:00", ends="06:00", days="mon-fri")
    assert quiet.holds(at) is held


def test_a_message_lists_the_worst_first() -> None:
    told = [
        (Key(f"alert:{n}", "day", "raised"), an_alert(id=n, message=f"m{n}\r\nBcc: x"))
        for n in range(30)
    ]
    told.append((Key("alert:99", "day", "raised"), an_alert(id=99, severity="critical")))
    made = of_alerts(told, console="https://plant/", timezone=BERLIN, say=str)
    lines = made.body.splitlines()
    assert made.title == "Linewatch: 31 alerts"
    assert lines[0].startswith("2026-03-02 13:00 critical #99")
    assert lines[MOST] == "… and 11 more"
    assert lines[-1] == "https://plant/alerts"
    assert len(lines) == MOST + 3  # no line of a message's own making
    assert made.severity == "critical"

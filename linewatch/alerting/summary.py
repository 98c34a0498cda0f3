"""A shift's summary, as people get it by mail. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from db.alerting.notices import Key
from db.alerting.shifts_over import ShiftOver
from db.status.shift_rates import ShiftRate
from linewatch.alerting.messages import Message
from linewatch.plain_text import visible

SUMMARY = "summary"
_MOST_LINES = 100


def key_of(over: ShiftOver, channel: str) -> Key:
    """What a channel is told of a shift, once."""
    starts, ends = over.shift.starts.isoformat(), over.shift.ends.isoformat()
    return Key(f"{SUMMARY}:{starts}:{ends}:{over.shift.name}", channel, SUMMARY)


def message(over: ShiftOver, *, console: str, timezone: tzinfo) -> Message:
    """The summary: parts by line and product, and the alerts."""
    shift = over.shift
    starts, ends = (at.astimezone(timezone) for at in (shift.starts, shift.ends))
    lines = [
        f"Shift {visible(shift.name)} of {shift.day}, {starts:%H:%M} to {ends:%H:%M}: "
        f"{over.parts} parts.",
        "",
        *_rates(over),
        "",
        f"Alerts: {over.raised}" + ("" if over.raised else ", none was raised."),
    ]
    for alert in over.alerts:
        at = f"{alert.raised_at.astimezone(timezone):%H:%M}"
        state = "" if alert.state == "open" else f" ({alert.state})"
        lines.append(f"  {at} {alert.severity} #{alert.id} {_one_line(alert.message)}{state}")
    if over.raised > len(over.alerts):
        lines.append(f"  … and {over.raised - len(over.alerts)} more")
    if console:
        lines += ["", console]
    title = f"Linewatch: shift {visible(shift.name)} of {shift.day}, {over.parts} parts"
    return Message(title, "\n".join(lines), "info")


def _rates(over: ShiftOver) -> Iterator[str]:
    shown = 0
    for line, rates in over.rates.items():
        for rate in rates:
            shown += 1
            if shown <= _MOST_LINES:
                yield f"  {_one_line(line)}, {_one_line(rate.product)}: {_words(rate)}"
    if not shown:
        yield "  no parts"
    elif shown > _MOST_LINES:
        yield f"  … and {shown - _MOST_LINES} more"


def _words(rate: ShiftRate) -> str:
    tally, limits = rate.tally, rate.limits
    share = "no rate yet" if tally.rate is None else f"{tally.rate:.1%} bad"
    if limits is None:
        held = ""
    else:
        where = "OUTSIDE" if rate.outside else "within"
        held = f", {where} {limits.lower:.1%} to {limits.upper:.1%}"
    return f"{tally.conforming} good, {tally.nonconforming} bad, {tally.open} open; {share}{held}"


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())[:200]

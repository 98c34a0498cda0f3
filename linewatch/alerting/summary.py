"""A shift's summary, as people get it by mail, in their language. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from db.alerting.notices import Key
from db.alerting.shifts_over import ShiftOver
from db.status.shift_rates import ShiftRate
from linewatch.alerting.messages import MORE, Message
from linewatch.alerting.texts import Say, said
from linewatch.plain_text import visible

SUMMARY = "summary"
_MOST_LINES = 100
_TITLE = "Linewatch: shift {shift} of {day}, {parts} parts"
_HEAD = "Shift {shift} of {day}, {starts} to {ends}: {parts} parts."
_ALERTS, _NO_ALERTS = "Alerts: {n}", "Alerts: 0, none was raised."
_COUNTS = "{good} good, {bad} bad, {open} open"
_WITHIN, _OUTSIDE = "within {lower} to {upper}", "OUTSIDE {lower} to {upper}"


def key_of(over: ShiftOver, channel: str) -> Key:
    """What a channel is told of a shift, once."""
    starts, ends = over.shift.starts.isoformat(), over.shift.ends.isoformat()
    return Key(f"{SUMMARY}:{starts}:{ends}:{over.shift.name}", channel, SUMMARY)


def message(over: ShiftOver, *, console: str, timezone: tzinfo, say: Say) -> Message:
    """The summary: parts by line and product, and the alerts.

    Args:
        say: our words in the language of who is told.
    """
    shift = over.shift
    starts, ends = (f"{at.astimezone(timezone):%H:%M}" for at in (shift.starts, shift.ends))
    of = {"shift": visible(shift.name), "day": shift.day, "parts": over.parts}
    raised = _ALERTS if over.raised else _NO_ALERTS
    lines = [say(_HEAD).format(**of, starts=starts, ends=ends), "", *_rates(over, say), ""]
    lines.append(say(raised).format(n=over.raised))
    for alert in over.alerts:
        at = f"{alert.raised_at.astimezone(timezone):%H:%M}"
        state = "" if alert.state == "open" else f" ({say(alert.state)})"
        words = _one_line(said(alert.message, say))
        lines.append(f"  {at} {say(alert.severity)} #{alert.id} {words}{state}")
    if over.raised > len(over.alerts):
        lines.append(f"  {say(MORE).format(n=over.raised - len(over.alerts))}")
    if console:
        lines += ["", console]
    return Message(say(_TITLE).format(**of), "\n".join(lines), "info")


def _rates(over: ShiftOver, say: Say) -> Iterator[str]:
    shown = 0
    for line, rates in over.rates.items():
        for rate in rates:
            shown += 1
            if shown <= _MOST_LINES:
                yield f"  {_one_line(line)}, {_one_line(rate.product)}: {_words(rate, say)}"
    if not shown:
        yield f"  {say('no parts')}"
    elif shown > _MOST_LINES:
        yield f"  {say(MORE).format(n=shown - _MOST_LINES)}"


def _words(rate: ShiftRate, say: Say) -> str:
    tally, limits = rate.tally, rate.limits
    counts = {"good": tally.conforming, "bad": tally.nonconforming, "open": tally.open}
    share = "no rate yet" if tally.rate is None else "{share} bad"
    words = [say(_COUNTS).format(**counts)]
    words.append(say(share).format(share="" if tally.rate is None else f"{tally.rate:.1%}"))
    if limits is not None:
        held = _OUTSIDE if rate.outside else _WITHIN
        ends = {"lower": f"{limits.lower:.1%}", "upper": f"{limits.upper:.1%}"}
        words.append(say(held).format(**ends))
    return f"{words[0]}; {', '.join(words[1:])}"


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())[:200]

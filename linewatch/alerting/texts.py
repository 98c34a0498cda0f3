"""What alerts say, in the language of who is told. Pure.

An alert is stored as the English sentence that its raiser made of a template. To say it in another
language, the template is found again by its fixed words; what stood in its places stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from string import Formatter

from db.challenges import outcome
from db.challenges.challenges import NOT_PASSED
from db.challenges.strays import STRAY_NAMELESS, STRAY_PART
from db.charts.signals import SIGNAL
from db.products import REGISTER_AGAIN
from linewatch.alerting import line_conditions, looking_texts
from outputs.absence import AWAY
from producer.contract import unknown
from quality.charts.run_rules import POINTS_BELOW
from workers.health.drift_watch import DRIFT
from workers.health.line_settings import LATE
from workers.health.unknown_fields import UNTIL_THEN
from workers.serving import load_failures

Say = Callable[[str], str]  # a message of ours in some language
Words = Callable[[str, str], str]  # language and message to the message in it

TEMPLATES = (
    *(line_conditions.SILENT_CAMERA, line_conditions.WAITING_PARTS, line_conditions.NOT_VERIFIED),
    *(looking_texts.SILENT_WORKER, looking_texts.LATE_MESSAGE, looking_texts.REDIS_AWAY),
    *(AWAY, DRIFT, LATE, NOT_PASSED, SIGNAL, POINTS_BELOW),
    *(load_failures.CHAMPION_KEPT, load_failures.CHAMPION_AWAY),
    *(load_failures.SHADOW_KEPT, load_failures.SHADOW_AWAY),
    *(STRAY_PART, STRAY_NAMELESS, UNTIL_THEN, unknown.ONE, unknown.SEVERAL),
    *(unknown.MEANT, unknown.MORE),
    *(outcome.NOT_SEEN, outcome.LEFT_OPEN, outcome.PASSED, outcome.CALLED),
    REGISTER_AGAIN,  # last: anything stands before its words
)
_WORDS = frozenset({"change", "rule", "problem"})  # places that hold words of ours, not names
_LISTS = {"fields": ", ", "why": "; "}  # places that hold several words of ours, and between them


def english(_language: str, message: str) -> str:
    """Says everything as it is written."""
    return message


def said(message: str, say: Say) -> str:
    """An alert's sentence in another language; itself where there is no word for it."""
    for template, pattern in _PATTERNS:
        found = pattern.fullmatch(message)
        if found is not None:
            there = say(template)
            return there.format(**{k: _value(k, v, say) for k, v in found.groupdict().items()})
    return say(message)


def _value(place: str, value: str, say: Say) -> str:
    if place in _LISTS:
        between = _LISTS[place]
        return between.join(said(part, say) for part in value.split(between))
    return said(value, say) if place in _WORDS else value


def _pattern(template: str) -> re.Pattern[str]:
    """The template with anything in its places; the same thing where a place comes again."""
    words, known = [], set[str]()
    for fixed, name, _, _ in Formatter().parse(template):
        words.append(re.escape(fixed))
        if name is not None:
            words.append(f"(?P={name})" if name in known else f"(?P<{name}>.*?)")
            known.add(name)
    return re.compile("".join(words), re.DOTALL)


_PATTERNS = tuple((template, _pattern(template)) for template in TEMPLATES)

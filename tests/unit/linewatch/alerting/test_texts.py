"""Alerts in German: every sentence that an alert can be, with the names in it as they are."""

from __future__ import annotations

from functools import partial
from string import Formatter

import pytest

from console.words import say
from linewatch.alerting.texts import TEMPLATES, said
from quality.charts.run_rules import RULE_SETS, Rule, below_centre
from workers.health.drift_watch import _WORDS as CHANGES

german = partial(say, "de")
RULES: list[Rule] = [below_centre(7), *(rule for rules in RULE_SETS.values() for rule in rules)]
NAMES = ("L1", "a {b} %s", "x; see its log", "`", "\n")


def places(template: str) -> list[str]:
    return sorted({name for _, name, _, _ in Formatter().parse(template) if name})


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("name", NAMES)
def test_every_sentence_has_german_and_keeps_its_names(template: str, name: str) -> None:
    values = {place: f"{place}-{name}-{place}" for place in places(template)}
    values |= {place: "closed" for place in ("change", "rule") if place in values}
    text = said(template.format(**values), german)
    there = german(template)
    assert there != template
    assert text == there.format(**values).replace("closed", "geschlossen")


def test_rules_and_changes_are_said_in_german_too() -> None:
    words = [*CHANGES.values(), *(rule.says for rule in RULES)]
    assert [word for word in words if said(word, german) == word] == []


def test_a_sentence_that_nobody_knows_stays() -> None:
    assert said("model cable-9 cannot be loaded", german) == "model cable-9 cannot be loaded"
    assert said("closed", str.upper) == "CLOSED"


def test_in_english_nothing_changes() -> None:
    english = partial(say, "en")
    for template in TEMPLATES:
        message = template.format(**dict.fromkeys(places(template), "it"))
        assert said(message, english) == message

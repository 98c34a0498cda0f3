"""Alerts in German: every sentence that an alert can be, with the names in it as they are."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest

from console.words import say
from db.challenges.challenges import Ended
from db.challenges.outcome import Found, KnownPart
from linewatch.alerting.texts import TEMPLATES, said
from producer.contract import ImageRef
from producer.contract.message import Envelope
from producer.contract.unknown import Unknown, explained
from quality.charts.run_rules import RULE_SETS, Rule, below_centre
from quality.parts.disposition import By, Disposition, Outcome
from workers.health.drift_watch import _WORDS as CHANGES
from workers.health.unknown_fields import UNTIL_THEN

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


def test_fields_that_a_worker_does_not_know_are_named_in_german() -> None:
    fields = {"prat": "", "colour": "", "b": "", "c": "", "d": "", "e": ""}
    problem = explained(Unknown(image=fields, envelope={}), (ImageRef, Envelope))
    text = said(UNTIL_THEN.format(line="L1", problem=problem), german)
    assert text.startswith("L1: dieser Worker kennt die Felder 'prat' (ist 'part' gemeint?), ")
    assert "… und 1 weitere nicht; berichtigen" in text
    assert text.endswith("; bis dahin geht kein solches Teil ohne einen Menschen durch")


def test_what_a_challenge_missed_is_said_in_german() -> None:
    found = tuple(Found(KnownPart("cable", f"B-{n}", "bent"), 0, None) for n in range(7))
    passed = Found(KnownPart("cable", "B-8"), 1, Outcome(Disposition.CONFORMING, By.MODEL))
    ended = Ended("L1", datetime(2026, 11, 28, tzinfo=UTC), (passed, *found))
    text = said(ended.message, german)
    assert "B-8 wurde gutgeheißen; B-0 (bent) wurde nicht gesehen; " in text
    assert "; … und 3 weitere; halten Sie zurück" in text


def test_every_alert_is_raised_in_words_that_have_german() -> None:
    """A sentence made where it is raised would be English in every language."""
    root = Path(str(files("linewatch"))).parent
    made = [
        f"{path.relative_to(root)}:{node.lineno}"
        for package in ("db", "linewatch", "outputs", "training", "workers")
        for path in (root / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", ""))
        in {"raise_alert", "raise_once"}
        for argument in node.keywords
        if argument.arg == "message" and isinstance(argument.value, ast.JoinedStr | ast.Constant)
    ]
    assert made == []


def test_a_sentence_that_nobody_knows_stays() -> None:
    assert said("model cable-9 cannot be loaded", german) == "model cable-9 cannot be loaded"
    assert said("closed", str.upper) == "CLOSED"


def test_in_english_nothing_changes() -> None:
    english = partial(say, "en")
    for template in TEMPLATES:
        message = template.format(**dict.fromkeys(places(template), "it"))
        assert said(message, english) == message

"""The alerts file: what it may say, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from linewatch.alerting.file import alerts_of, load
from linewatch.errors import AlertError
from linewatch.settings import Settings

WHOLE = """
console: https://plant.example/
rules:
  camera_silent: {severity: warning, lines: [L1]}
  queue_age: {after_s: 30}
  review_backlog: {on: false}
channels:
  quality:
    to: [mail, "json://127.0.0.1:1/"]
    repeat_min: 30
    quiet: {starts: 22:00, ends: 06:00, days: mon-fri}
    summary: true
  night:
    to: mail
    at_least: critical
"""


def test_times_are_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text(WHOLE)
    found = load(path)
    quiet = found.channels["quality"].quiet
    assert quiet is not None
    assert (f"{quiet.starts:%H:%M}", quiet.days[0], quiet.days[-1]) == ("22:00", "mon", "fri")
    assert found.channels["night"].to == ("mail",)
    assert (found.rules.queue_age.after_s, found.rules.review_backlog.on) == (30, False)
    assert found.rules.worker_silent.on


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: {camera_silnt: {on: false}}", "'camera_silent' meant"),
        ("channels: {a: {to: x, repeat_mins: 5}}", "'repeat_min' meant"),
        ("channels: {a: {}}", "channels.a.to"),
        ("rules: {queue_age: {after_s: soon}}", "rules.queue_age.after_s"),
        ("channels: {a: {to: x, quiet: {starts: 22:00, ends: 6:00, days: caturday}}}", "no day"),
        ("channels: {a: {to: x, at_least: bad}}", "channels.a.at_least"),
        ("- a list", "no table"),
        ("a: [", "alerts.yaml"),
        ("rules: {}\nrules: {}", "twice"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text(text)
    with pytest.raises(AlertError, match=r"alerts\.yaml") as refused:
        load(path)
    assert said in str(refused.value)


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "alerts.yaml"
    path.write_text("")
    assert load(path).rules.camera_silent.severity == "critical"


def test_messages_link_to_where_the_file_or_the_settings_say(
    tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    path = tmp_path / "alerts.yaml"
    for text, address in (("{}", "https://set.example"), (WHOLE, "https://plant.example/")):
        path.write_text(text.replace("[mail, ", "[").replace("to: mail", 'to: "json://x/"'))
        settings = make_settings(alerts_file=path, console_url="https://set.example")
        assert alerts_of(settings).console == address

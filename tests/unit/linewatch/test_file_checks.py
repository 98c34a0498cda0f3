"""What `linewatch doctor` says of the files that settings name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from linewatch.doctor.file_checks import alerts_file, outputs_file
from linewatch.doctor.findings import State
from linewatch.settings import Settings

MakeSettings = Callable[..., Settings]
CHANNEL = "channels: {lead: {to: [lead-phone]}}\n"


@pytest.mark.parametrize(
    ("words", "urls", "state", "said"),
    [
        (CHANNEL, "", State.OK, "tells lead"),  # a console that need not know the addresses
        (CHANNEL, "lead-phone=json://phone.example", State.OK, "tells lead"),
        (CHANNEL, "led-phone=json://phone.example", State.FAIL, "no address called 'lead-phone'"),
        ("{}", "", State.WARN, "nobody is told"),
        ("channel: {}", "", State.FAIL, "channel"),
    ],
)
def test_an_alerts_file_that_cannot_be_used_is_told(
    make_settings: MakeSettings, tmp_path: Path, words: str, urls: str, state: State, said: str
) -> None:
    file = tmp_path / "alerts.yaml"
    file.write_text(words)
    (found,) = alerts_file(make_settings(alerts_file=file, alert_urls=urls))
    assert (found.state, said in found.detail) == (state, True), found
    file.unlink()
    (found,) = alerts_file(make_settings(alerts_file=file, alert_urls=urls))
    assert found.state is State.FAIL


def test_an_outputs_file_that_cannot_be_used_is_told(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    file = tmp_path / "outputs.yaml"
    settings = make_settings(outputs_file=file)
    good = "lines: {L1: {receivers: [{name: r, kind: drop, folder: /srv/drop}]}}"
    for words, state in ((good, State.OK), ("lines: {}", State.FAIL), ("{", State.FAIL)):
        file.write_text(words)
        (found,) = outputs_file(settings)
        assert found.state is state, found
    file.unlink()  # in Compose its place is always named
    (found,) = outputs_file(settings)
    assert (found.state, "no line is told" in found.detail) == (State.WARN, True)
    assert list(outputs_file(make_settings(outputs_file=None))) == []

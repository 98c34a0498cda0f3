"""The command that drives a gate: it is given what it needs, and one that hangs holds up none."""

from __future__ import annotations

import shlex
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import click
import pytest
from click.testing import CliRunner

from linewatch.commands import watch
from linewatch.commands._deadline_command import DeadlineCommand
from producer.deadline_book import MissedDeadline
from producer.submission import Station
from tests.support.waiting import until

STATION = Station("line-1", "cam-2", "cable")
WATCH = ["--line", "l", "--camera", "c", "--product", "p"]


def missed(part: str) -> MissedDeadline:
    now = datetime.now(UTC)
    return MissedDeadline(part, 2, (uuid4(),), ("side",), now, now + timedelta(seconds=1))


def command(code: str, *arguments: str, **limits: float) -> DeadlineCommand:
    words = shlex.join([sys.executable, "-S", "-c", code, *arguments])
    return DeadlineCommand(words, STATION, **limits)


def test_a_command_knows_which_part(tmp_path: Path) -> None:
    out = tmp_path / "out"
    names = "LINE CAMERA PART PASS PICTURES MISSING_VIEWS CAPTURED_AT"
    code = (
        "import os, sys; said = [os.environ['DEADLINE_' + n] for n in sys.argv[2].split()]; "
        "open(sys.argv[1] + '.x', 'w').write('|'.join(said)); os.rename(sys.argv[1] + '.x', "
        "sys.argv[1])"
    )
    part = missed("SN; rm -rf $HOME")
    command(code, str(out), names).run(part)
    until(out.exists, 20)
    said = ["line-1", "cam-2", "SN; rm -rf $HOME", "2", str(part.pictures[0]), "side"]
    assert out.read_text().split("|") == [*said, part.captured_at.isoformat()]


def test_commands_that_hang_are_killed_and_hold_up_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hanging = command("import time; time.sleep(600)", limit_s=1.0)
    began = time.monotonic()
    for number in range(20):
        hanging.run(missed(str(number)))
    assert time.monotonic() - began < 20  # they hang for ten minutes
    assert caplog.text.count("is killed") >= 4  # sixteen at most, and at once
    until(lambda: not hanging.running(), 20)
    assert caplog.text.count("did not end in time and is killed") == 20


@pytest.mark.parametrize(
    ("text", "words"),
    [("no-such-program --at all", "there is no program"), ("'", "no command"), ("", "no program")],
)
def test_what_is_no_command_says_so(text: str, words: str) -> None:
    with pytest.raises(click.BadParameter, match=words):
        DeadlineCommand(text, STATION)


def test_a_command_needs_a_deadline(tmp_path: Path) -> None:
    arguments = [str(tmp_path), *WATCH, "--on-deadline", "true"]
    done = CliRunner().invoke(watch.command, arguments)
    assert done.exit_code == 2
    assert "--on-deadline needs --deadline" in done.output

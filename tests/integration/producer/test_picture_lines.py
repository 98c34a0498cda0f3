"""What `submit`, `watch` and `spool receipts` say of each picture."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from linewatch.commands import spool, submit
from linewatch.settings import Settings
from producer.camera import Camera
from producer.contract import ImageRef, Reason, Receipt, Verdict
from tests.integration.producer.test_cli import AWAY, STATION, linewatch
from tests.support.judge import Judge
from tests.support.uploads import encoded
from tests.support.waiting import until

NO_VERDICT_YET = 3


def by_name(image: ImageRef) -> Receipt:
    """The verdict that the picture's name asks for."""
    said = {
        "good.png": {"verdict": Verdict.PASS, "confidence": 0.991},
        "hole.png": {"verdict": Verdict.DEFECT, "defect_class": "hole", "confidence": 0.875},
        "cut.png": {"verdict": Verdict.REJECTED, "reason": Reason.OUTSIDE_ROOT},
    }[Path(image.uri).name]
    return Receipt.model_validate({"id": image.id, "decided_at": datetime.now(UTC), **said})


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "my pictures"
    folder.mkdir()
    for name in ("good.png", "hole.png", "cut.png"):
        (folder / name).write_bytes(encoded("a.png", 20))
    return folder


@contextmanager
def watching(folder: Path, out: Path, *options: str) -> Iterator[None]:
    code = "from linewatch.cli import main; main()"
    command = [sys.executable, "-c", code, "watch", str(folder), *STATION, *options]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with out.open("w") as output:
        watch = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL, env=environment)
        try:
            yield
        finally:
            watch.send_signal(signal.SIGTERM)
            assert watch.wait(20) == 0


def test_submit_says_what_became_of_each_picture(
    pictures: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    make_settings(redis_url=redis_url)
    with Judge(redis_url, says=by_name) as judge:
        done = linewatch("submit", pictures, *STATION, "--part", "SN 7")
    assert done.returncode == 0, done.stderr
    cut, good, hole, summary = done.stdout.splitlines()
    ids = judge.pictures
    assert cut.startswith(f"rejected    {pictures}/cut.png  {ids[0]}  part SN 7  outside_root: ")
    assert "LINEWATCH_IMAGE_ROOTS" in cut
    assert good == f"pass        {pictures}/good.png  {ids[1]}  part SN 7  0.991"
    assert hole == f"defect      {pictures}/hole.png  {ids[2]}  part SN 7  hole  0.875"
    assert summary == "3 accepted, 1 defect, 1 pass, 1 rejected"


def test_watch_says_path_and_id_of_each_picture_twice(
    pictures: Path, tmp_path: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    make_settings(redis_url=redis_url)
    out = tmp_path / "out"
    options = ("--part-pattern", r"(?P<part>ho.e)")
    with Judge(redis_url, says=by_name), watching(pictures, out, *options):
        until(lambda: len(out.read_text().splitlines()) >= 7, 30)
    lines = [(line[:12].strip(), line[12:].split("  ")) for line in _said(out)]
    accepted = {words[0]: words[1] for what, words in lines if what == "accepted"}
    judged = {words[0]: words[1] for what, words in lines if what != "accepted"}
    assert accepted == judged
    assert sorted(accepted) == sorted(map(str, pictures.iterdir()))
    assert ("defect", ["part hole", "hole", "0.875"]) in [(w, rest[2:]) for w, rest in lines]


def _said(out: Path) -> list[str]:
    """The lines of pictures: without what it watches, and the summary."""
    return out.read_text().splitlines()[1:-1]


def test_watch_speaks_json_and_matches_after_a_restart(
    pictures: Path, tmp_path: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    """The first process is away when the verdicts come; the second one knows the paths."""
    out = tmp_path / "out"
    make_settings(redis_url=AWAY, spool_copy=True)
    with watching(pictures, out, "--format", "json"):
        until(lambda: len(out.read_text().splitlines()) == 3, 30)
    accepted = {a["id"]: a for a in map(json.loads, out.read_text().splitlines())}
    assert {a["event"] for a in accepted.values()} == {"accepted"}
    make_settings(redis_url=redis_url, spool_copy=True)

    def says(image: ImageRef) -> Receipt:
        named = accepted[str(image.id)]["path"]  # the message has the copy's path
        return by_name(image.model_copy(update={"uri": named}))

    with Judge(redis_url, says=says), watching(pictures, out, "--format", "json"):
        until(lambda: len(out.read_text().splitlines()) == 3, 30)
    verdicts = [json.loads(line) for line in out.read_text().splitlines()]
    assert {v["event"] for v in verdicts} == {"verdict"}
    for verdict in verdicts:
        assert verdict["path"] == accepted[verdict["id"]]["path"]
    assert {Path(v["path"]).name: v["reason"] for v in verdicts} == {
        "good.png": None,
        "hole.png": None,
        "cut.png": "outside_root",
    }


def test_a_name_that_is_not_utf_8_stops_nothing(
    tmp_path: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / os.fsdecode(b"caf\xe9.png")).write_bytes(encoded("a.png", 20))
    make_settings(redis_url=redis_url)
    out = tmp_path / "out"
    with Judge(redis_url), watching(folder, out):
        until(lambda: out.read_text().count("caf%E9.png") == 2, 30)


def test_submit_does_not_wait_for_ever(
    pictures: Path, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(redis_url=AWAY)
    assert submit._NO_NEWS_S < 600
    monkeypatch.setattr(submit, "_NO_NEWS_S", 0.5)
    done = CliRunner().invoke(
        submit.command, [str(pictures), *STATION], standalone_mode=False, catch_exceptions=False
    )
    assert done.return_value == NO_VERDICT_YET
    (sentence,) = [line for line in done.output.splitlines() if "Nothing is lost" in line]
    assert "no verdict came for 0.5 s" in sentence
    assert "and 2 more" in sentence
    assert str(settings.spool_folder) in sentence
    with Camera("line-1", "cam-2", "cable", settings=settings) as camera:
        assert camera.spool.queued() == 3


def test_verdicts_that_keep_coming_are_waited_for(
    tmp_path: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    for i in range(7):
        (tmp_path / f"{i}.png").write_bytes(encoded("a.png", 20))
    make_settings(redis_url=redis_url, images_per_message=1)

    def slowly(image: ImageRef) -> Receipt:
        time.sleep(0.4)
        return Receipt(id=image.id, verdict=Verdict.PASS, decided_at=datetime.now(UTC))

    with Judge(redis_url, says=slowly):
        done = linewatch("submit", tmp_path, *STATION, "--timeout", "2")
    assert done.returncode == 0, done.stderr


def test_the_verdict_can_be_asked_for_later(
    pictures: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(redis_url=AWAY)
    with Camera("line-1", "cam-2", "cable", settings=settings) as camera:
        id_ = str(camera.submit(pictures / "cut.png"))
    early = asked(id_)
    assert (early.return_value, early.stdout) == (NO_VERDICT_YET, "")
    assert "no verdict yet" in early.stderr
    settings = make_settings(redis_url=redis_url)
    with (
        Judge(redis_url, says=by_name),
        Camera("line-1", "cam-2", "cable", settings=settings) as camera,
    ):
        assert camera.wait(30)
    late = asked(id_)
    assert late.return_value == 0
    assert f"rejected    {pictures}/cut.png  {id_}" in late.stdout
    assert json.loads(asked("--format", "json").stdout)["reason"] == "outside_root"
    unknown = asked(str(UUID(int=1)))
    assert unknown.return_value == NO_VERDICT_YET
    assert "is not known" in unknown.stderr


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(
        spool.command, ["receipts", *arguments], standalone_mode=False, catch_exceptions=False
    )


def test_receipts_of_an_older_program_are_read_and_of_a_later_one_skipped(
    make_settings: Callable[..., Settings],
) -> None:
    settings = make_settings(redis_url=AWAY)
    told: list[Receipt] = []
    with Camera("line-1", "cam-2", "cable", settings=settings, on_receipt=told.append) as camera:
        receipt = Receipt(id=UUID(int=2), verdict=Verdict.PASS, decided_at=datetime.now(UTC))
        later = '{"format": 9}'
        with camera.spool.write() as db:
            for text in (later, receipt.written()):
                db.execute("INSERT INTO receipts (receipt) VALUES (?)", (text,))
        until(lambda: len(told) == 1, 10)
    done = asked()
    assert done.stdout.startswith("pass        -  00000000-")

"""`linewatch submit`, `watch` and `spool`, run as a person runs them."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from linewatch.settings import Settings
from tests.support.judge import Judge

AWAY = "redis://127.0.0.1:1/0"
STATION = ("--line", "line-1", "--camera", "cam-2", "--product", "cable")


def linewatch(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from linewatch.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.png", "b.jpg", "sub/c.png", "notes.txt", ".hidden.png"):
        (folder / name).write_bytes(b"x")
    return folder


def test_submit_waits_for_verdicts(
    pictures: Path, tmp_path: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    make_settings(redis_url=redis_url)
    with Judge(redis_url) as judge:
        done = linewatch("submit", pictures, *STATION, "--lot", "L1", "--json", tmp_path / "o.json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "3 accepted, 3 pass"
    outcome = json.loads((tmp_path / "o.json").read_text())
    assert (outcome["accepted"], outcome["verdicts"]) == (3, {"pass": 3})
    assert [p["id"] for p in outcome["pictures"]] == judge.pictures
    assert {image.lot for m in judge.messages for image in m.images} == {"L1"}


def test_submit_says_what_the_options_say_and_warns_of_a_path_that_comes_again(
    pictures: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    make_settings(redis_url=AWAY)
    assert linewatch("submit", pictures / "a.png", *STATION, "--no-wait").returncode == 0
    make_settings(redis_url=redis_url, site="Werk 2")
    said = ("--pass-number", 2, "--view", "cam-2", "--view", "cam-3", "--work-order", "W-7")
    said += ("--purpose", "challenge", "--trace-id", "4bf92f3577b34da6a3ce929d0e0e4736")
    with Judge(redis_url, answers=lambda message: message.images[-1].pass_number == 2) as judge:
        done = linewatch("submit", pictures / "a.png", *STATION, *map(str, said))
    assert done.returncode == 0, done.stderr
    assert "a.png was handed over again before its last picture was judged" in done.stderr
    image = [image for m in judge.messages for image in m.images][-1]
    assert (image.pass_number, image.views) == (2, ("cam-2", "cam-3"))
    assert (image.work_order, image.purpose) == ("W-7", "challenge")
    assert image.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert image.seen is not None
    assert image.seen.size == 1
    assert judge.messages[-1].envelope.site == "Werk 2"


def test_submit_names_every_missing_file_and_sends_nothing(
    pictures: Path, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(redis_url=AWAY)
    done = linewatch("submit", pictures / "a.png", "/no/x.png", "/no/y.png", *STATION)
    assert done.returncode == 2
    assert "/no/x.png, /no/y.png" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not settings.spool_folder.exists()


def test_submit_hands_over_objects_of_an_s3_server_as_they_are_named(
    pictures: Path, tmp_path: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    """This PC need not reach the server, so a key is neither looked up nor made a path."""
    make_settings(redis_url=redis_url)
    objects = ("s3://pictures/line 1//a.png", "s3://pictures/%41.png")
    with Judge(redis_url) as judge:
        done = linewatch(
            "submit", *objects, pictures / "a.png", *STATION, "--json", tmp_path / "o.json"
        )
    assert done.returncode == 0, done.stderr
    uris = [image.uri for message in judge.messages for image in message.images]
    assert uris == [*objects, str(pictures / "a.png")]
    outcome = json.loads((tmp_path / "o.json").read_text())
    assert [picture["path"] for picture in outcome["pictures"]] == uris
    assert objects[0] in done.stdout


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("s3://pictures", "s3://pictures names no object; name each as s3://bucket/key"),
        ("s3://pictures/line-1/", "buckets are not listed"),
        ("s3:///a.png", "names no object"),
        ("https://pc/a.png", "handed over as files, folders or s3://bucket/key"),
    ],
)
def test_submit_says_how_an_object_is_named(
    pictures: Path, make_settings: Callable[..., Settings], word: str, sentence: str
) -> None:
    settings = make_settings(redis_url=AWAY)
    done = linewatch("submit", pictures / "a.png", word, *STATION)
    assert done.returncode == 2
    assert "nothing was submitted" in done.stderr
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not settings.spool_folder.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--part", "x" * 201), "part"),
        (("--camera", "x" * 65), "camera"),
        (("--pass-number", "0"), "pass_number"),
        (("--trace-id", "0" * 32), "trace_id"),
        (("--spool", "/proc/no/spool.db"), "cannot be opened"),
    ],
)
def test_bad_arguments_are_one_sentence(
    pictures: Path,
    make_settings: Callable[..., Settings],
    arguments: tuple[str, str],
    sentence: str,
) -> None:
    make_settings(redis_url=AWAY)
    done = linewatch("submit", pictures, *STATION, *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_for_the_outcome_that_cannot_be_is_said_before_anything_is_handed_over(
    pictures: Path, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(redis_url=AWAY)
    for file in (pictures / "no-folder/out.json", pictures):
        done = linewatch("submit", pictures / "a.png", *STATION, "--json", file)
        assert done.returncode == 2
        assert "--json" in done.stderr
        assert "Traceback" not in done.stderr
    assert not settings.spool_folder.exists()


def test_submit_without_redis_keeps_and_flush_sends(
    pictures: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    make_settings(redis_url=AWAY)
    done = linewatch("submit", pictures, *STATION, "--timeout", "1")
    assert (done.returncode, done.stdout) == (3, "3 accepted, 3 without a verdict yet\n")
    assert "3 wait in the spool" in done.stderr
    assert "no verdict came for 1 s" in done.stderr
    (status,) = json.loads(linewatch("spool", "status", "--format", "json").stdout)
    assert (status["queued"], status["sent"], status["dropped"]) == (3, 0, 0)
    exported = [json.loads(line) for line in linewatch("spool", "export").stdout.splitlines()]
    assert [Path(row["uri"]).name for row in exported] == ["a.png", "b.jpg", "c.png"]
    failed = linewatch("spool", "flush", "--timeout", "0.5")
    assert failed.returncode == 1
    assert "3 left" in failed.stdout

    make_settings(redis_url=redis_url)
    with Judge(redis_url) as judge:
        flushed = linewatch("spool", "flush", "--wait")
    assert (flushed.returncode, len(judge.pictures)) == (0, 3), flushed.stderr
    assert "nothing left" in flushed.stdout
    assert "queued 0, sent without a receipt 0" in linewatch("spool", "status").stdout


def test_no_wait_hands_over(
    pictures: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    make_settings(redis_url=redis_url)
    done = linewatch("submit", pictures, *STATION, "--no-wait")
    assert done.returncode == 0
    assert "wait in the spool" not in done.stderr
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("inspect") >= 1


def test_spool_commands_say_when_there_is_none(make_settings: Callable[..., Settings]) -> None:
    make_settings(redis_url=AWAY)
    done = linewatch("spool", "status")
    assert done.returncode == 2
    assert "there is no spool" in done.stderr


def test_watch_until_terminated(
    pictures: Path, tmp_path: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    make_settings(redis_url=redis_url)
    code = "from linewatch.cli import main; main()"
    command = [sys.executable, "-c", code, "watch", str(pictures), *STATION, "--recursive"]
    log = tmp_path / "watch.log"
    with Judge(redis_url), log.open("w") as output:
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        watch = subprocess.Popen(command, stdout=output, stderr=output, env=environment)
        deadline = time.monotonic() + 30
        while log.read_text().count("\npass ") < 3:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        watch.send_signal(signal.SIGTERM)
        assert watch.wait(20) == 0
    assert log.read_text().endswith("3 accepted, 3 pass\n")


@pytest.mark.parametrize("pattern", ["SN(", "SN(\\d+)"])
def test_watch_refuses_a_useless_part_pattern(pictures: Path, pattern: str) -> None:
    done = linewatch("watch", pictures, *STATION, "--part-pattern", pattern)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr

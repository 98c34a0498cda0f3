"""Parts without a verdict in time, with Redis there and away, and parts of several views."""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from linewatch.errors import ConfigurationError, SpoolFullError, SubmissionError
from linewatch.settings import Settings
from producer.camera import Camera
from producer.deadline_book import MissedDeadline
from producer.inbox import KeptReceipt
from tests.integration.producer.test_cli import AWAY
from tests.integration.producer.test_picture_lines import watching
from tests.support.judge import Judge
from tests.support.uploads import encoded
from tests.support.waiting import until

MakeSettings = Callable[..., Settings]
VIEWS = ("top", "side")


class Gate:
    """What a line's gate would be told."""

    def __init__(self) -> None:
        self.missed: list[tuple[float, MissedDeadline]] = []
        self.receipts: list[KeptReceipt] = []

    def camera(self, settings: Settings, deadline_s: float = 0.3) -> Camera:
        return Camera(
            "line-1",
            "cam-2",
            "cable",
            settings=settings,
            on_receipt=self.receipts.append,
            deadline_s=deadline_s,
            on_deadline=lambda part: self.missed.append((time.time(), part)),
        )

    @property
    def parts(self) -> list[str | None]:
        return [part.part for _, part in self.missed]


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture(params=["away", "silent"])
def dead_redis(request: pytest.FixtureRequest) -> Iterator[tuple[str, socket.socket]]:
    """A Redis that is not there, and one that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        yield AWAY if request.param == "away" else url, silent


def test_a_dead_redis_does_not_keep_a_gate_waiting(
    gate: Gate, make_settings: MakeSettings, dead_redis: tuple[str, socket.socket]
) -> None:
    url, server = dead_redis
    with gate.camera(make_settings(redis_url=url)) as source:
        ids = [source.submit(f"/{i}.png", part=f"SN-{i}") for i in range(3)]
        until(lambda: len(gate.missed) == 3)
        time.sleep(0.2)
        server.close()  # or the end of the camera would wait for its answer
    assert gate.parts == ["SN-0", "SN-1", "SN-2"]  # once each
    assert [part.pictures for _, part in gate.missed] == [(id_,) for id_ in ids]
    for told_at, part in gate.missed:
        assert part.deadline == part.captured_at + timedelta(seconds=0.3)
        assert 0 <= told_at - part.deadline.timestamp() < 1  # sockets wait for five


def test_a_verdict_in_time_opens_the_gate_and_a_later_one_is_late(
    gate: Gate, redis_url: str, make_settings: MakeSettings
) -> None:
    go = threading.Event()

    def in_time(message: object) -> bool:
        return str(message).find("slow") < 0 or go.wait(10)

    settings = make_settings(redis_url=redis_url)
    with Judge(redis_url, in_time), gate.camera(settings, deadline_s=1.5) as source:
        source.submit("/fast.png", part="fast")
        until(lambda: len(gate.receipts) == 1)
        source.submit("/slow.png", part="slow")
        until(lambda: len(gate.missed) == 1)
        go.set()
        until(lambda: len(gate.receipts) == 2)
    assert gate.parts == ["slow"]
    assert [(receipt.part, receipt.late) for receipt in gate.receipts] == [
        ("fast", False),
        ("slow", True),
    ]


def test_a_full_spool_and_a_callback_that_fails_hold_up_nothing(
    gate: Gate, make_settings: MakeSettings
) -> None:
    settings = make_settings(redis_url=AWAY, spool_max_pictures=1, spool_block_s=1.5)

    def fails(part: MissedDeadline) -> None:
        gate.missed.append((time.time(), part))
        raise RuntimeError("the gate's driver is broken")

    camera = Camera("l", "c", "p", settings=settings, deadline_s=0.2, on_deadline=fails)
    with camera as source:
        source.submit("/a.png", part="first")
        began = time.time()
        with pytest.raises(SpoolFullError):
            source.submit("/b.png", part="refused")
        assert gate.parts == ["first", "refused"]
        assert gate.missed[1][0] - began < 1  # while `submit` still waited for room


def test_the_views_of_a_part_travel_in_one_message(
    gate: Gate, redis_url: str, make_settings: MakeSettings
) -> None:
    with Judge(redis_url) as judge, gate.camera(make_settings(redis_url=redis_url), 5) as source:
        with source.part("SN-1", views=VIEWS, lot="L-1", pass_number=2) as part:
            part.add("side", "/side.png")
            assert part.missing == ("top",)
            part.add("top", "/top.png")
        assert source.wait(10)
    (message,) = judge.messages
    told = [(i.camera, i.uri, i.part, i.lot, i.pass_number, i.views) for i in message.images]
    assert told == [
        ("top", "/top.png", "SN-1", "L-1", 2, VIEWS),
        ("side", "/side.png", "SN-1", "L-1", 2, VIEWS),
    ]
    assert gate.missed == []


def test_a_view_that_does_not_come_is_told_though_the_others_are_judged(
    gate: Gate, redis_url: str, make_settings: MakeSettings
) -> None:
    def taken(source: Camera) -> None:
        with source.part("SN-1", views=VIEWS) as part:
            part.add("top", "/top.png")
            until(lambda: len(gate.missed) == 1)  # nothing is handed over yet
            raise OSError("the camera is gone")

    with (
        Judge(redis_url) as judge,
        gate.camera(make_settings(redis_url=redis_url), 0.8) as source,
    ):
        with pytest.raises(OSError, match="the camera is gone"):
            taken(source)
        until(lambda: len(judge.messages) == 1)
    assert [part.missing_views for _, part in gate.missed] == [("side",)]


def test_what_is_no_view_or_no_deadline_says_so(gate: Gate, make_settings: MakeSettings) -> None:
    settings = make_settings(redis_url=AWAY)
    with gate.camera(settings, 60) as source:
        part = source.part("SN-1", views=VIEWS)
        with pytest.raises(SubmissionError, match="has no picture"):
            part.submit()
        part.add("top", "/a.png")
        for view, words in (("top", "has its view 'top' already"), ("left", "has no view 'left'")):
            with pytest.raises(SubmissionError, match=words):
                part.add(view, "/b.png")
        part.submit()
        with pytest.raises(SubmissionError, match="was handed over before"):
            part.add("side", "/b.png")
        with pytest.raises(SubmissionError, match="the list of its views"):
            source.part("SN-2", views="top")
    with pytest.raises(ConfigurationError, match="need each other"):
        Camera("l", "c", "p", settings=settings, deadline_s=1)
    with pytest.raises(ConfigurationError, match="seconds above 0"):
        Camera("l", "c", "p", settings=settings, deadline_s=0, on_deadline=print)


def test_an_object_of_a_bucket_is_handed_over_by_its_name(
    redis_url: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(redis_url=redis_url, spool_copy=True)
    with Judge(redis_url) as judge, Camera("l", "c", "p", settings=settings) as source:
        source.submit("s3://pictures/line-1/a b.png", sha256="a" * 64)
        assert source.wait(10)
    (image,) = judge.messages[0].images
    assert (image.uri, image.sha256) == ("s3://pictures/line-1/a b.png", "a" * 64)


def test_a_file_that_is_not_the_one_meant_is_not_copied(
    tmp_path: Path, make_settings: MakeSettings
) -> None:
    (tmp_path / "a.png").write_bytes(b"another")
    settings = make_settings(redis_url=AWAY, spool_copy=True)
    with Camera("l", "c", "p", settings=settings) as source:
        with pytest.raises(SubmissionError, match="submit it when it is whole"):
            source.submit(tmp_path / "a.png", sha256="a" * 64)
        assert list(source.spool.pictures_folder.iterdir()) == []


def test_watch_runs_a_command_for_a_part_without_a_verdict(
    tmp_path: Path, make_settings: MakeSettings
) -> None:
    make_settings(redis_url=AWAY)
    folder, out, gate = tmp_path / "pictures", tmp_path / "out", tmp_path / "gate"
    folder.mkdir()
    old = folder / "SN0.png"
    old.write_bytes(encoded("a.png", 20))
    hour = time.time() - 3600
    os.utime(old, (hour, hour))
    code = "import os, sys; open(sys.argv[1], 'a').write(os.environ['DEADLINE_PART'] + '\\n')"
    command = shlex.join([sys.executable, "-c", code, str(gate)])
    options = ("--part-pattern", r"SN(?P<part>\d+)", "--deadline", "0.6", "--format", "json")
    with watching(folder, out, *options, "--on-deadline", command):
        until(lambda: "accepted" in out.read_text(), 30)
        (folder / ".x").write_bytes(encoded("a.png", 20))
        (folder / ".x").rename(folder / "SN7.png")
        until(lambda: gate.exists() and "7" in gate.read_text(), 30)
    assert gate.read_text() == "7\n"  # not of the part that passed an hour ago
    events = [json.loads(line) for line in out.read_text().splitlines()]
    (told,) = [event for event in events if event["event"] == "deadline"]
    assert told["part"] == "7"
    assert datetime.fromisoformat(told["deadline"]) < datetime.now(UTC)

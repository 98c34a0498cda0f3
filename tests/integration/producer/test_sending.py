"""From the spool through a real Redis to a receipt, whatever happens to Redis on the way."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis

from linewatch.errors import SpoolError
from linewatch.settings import Settings
from producer.camera import Camera
from producer.contract import ParsedMessage, Receipt
from tests.support.freezing import freeze
from tests.support.judge import Judge
from tests.support.redis_server import RedisServer
from tests.support.waiting import until

MakeSettings = Callable[..., Settings]


def camera(settings: Settings, on_receipt: Callable[[Receipt], object] | None = None) -> Camera:
    return Camera("line-1", "cam-2", "cable", settings=settings, on_receipt=on_receipt)


def test_pictures_arrive_in_order_and_receipts_clear_the_spool(
    redis_url: str, make_settings: MakeSettings
) -> None:
    told: list[Receipt] = []
    with (
        Judge(redis_url) as judge,
        camera(make_settings(redis_url=redis_url), told.append) as source,
    ):
        ids = [str(source.submit(f"/{i}.png", part=f"SN{i}")) for i in range(100)]
        assert source.wait(20)
        until(lambda: len(told) == 100)
        status = source.status()
    assert judge.pictures == ids
    assert [str(receipt.id) for receipt in told] == ids
    assert (status.spool.pictures, status.sender.trouble) == (0, None)
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys("linewatch:receipts:*") == []


def test_bursts_share_a_message_and_singles_fill_one(
    make_settings: MakeSettings, private_redis: RedisServer
) -> None:
    private_redis.stop()
    settings = make_settings(redis_url=private_redis.url, images_per_message=16)
    with camera(settings) as source:
        source.submit_many(f"/burst{i}.png" for i in range(40))
        for i in range(20):
            source.submit(f"/{i}.png")
        private_redis.start()
        with Judge(private_redis.url) as judge:
            assert source.wait(20)
    assert [len(message.images) for message in judge.messages] == [40, 16, 4]


def test_broker_away_at_submit_then_there(
    private_redis: RedisServer, make_settings: MakeSettings
) -> None:
    private_redis.kill()
    with camera(make_settings(redis_url=private_redis.url)) as source:
        ids = [str(source.submit(f"/{i}.png")) for i in range(200)]
        until(lambda: source.status().sender.trouble is not None)
        assert source.status().spool.queued == 200
        private_redis.start()
        with Judge(private_redis.url) as judge:
            assert source.wait(30)
        assert judge.pictures == ids
        assert source.status().sender.trouble is None


def test_an_outage_is_told_once_and_its_end_only_when_redis_answers(
    private_redis: RedisServer, make_settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "producer.sender")
    private_redis.kill()
    with camera(make_settings(redis_url=private_redis.url)) as source:
        until(lambda: source.status().sender.trouble is not None)
        time.sleep(0.5)  # further rounds, with nothing to send
        source.submit("/1.png")
        time.sleep(0.5)
        told = [record.getMessage() for record in caplog.records]
        assert [words for words in told if "stay in the spool" in words] == told
        assert len(told) == 1
        private_redis.start()
        until(lambda: source.status().sender.trouble is None)
    assert caplog.records[-1].getMessage().endswith("sending again")


def test_a_camera_whose_redis_nobody_named_says_so(make_settings: MakeSettings) -> None:
    settings = make_settings(redis_url="")
    with camera(settings) as source:
        until(lambda: source.status().sender.trouble is not None)
        trouble = source.status().sender.trouble or ""
    assert trouble.startswith("LINEWATCH_REDIS_URL says no Redis")
    assert str(settings.private_redis_socket) in trouble


@pytest.mark.parametrize("appendonly", ["yes", "no"])
def test_redis_killed_again_and_again(
    private_redis: RedisServer, make_settings: MakeSettings, appendonly: str
) -> None:
    private_redis.restart(appendonly=appendonly)
    settings = make_settings(redis_url=private_redis.url, receipt_timeout_s=1)
    told: list[Receipt] = []
    with Judge(private_redis.url) as judge, camera(settings, told.append) as source:
        ids = []
        for _ in range(3):
            for i in range(60):
                ids.append(str(source.submit(f"/{i}.png")))
                time.sleep(0.002)
            private_redis.kill()
            ids += [str(source.submit(f"/{i}.png")) for i in range(10)]
            private_redis.start()
        assert source.wait(60)
    assert set(judge.pictures) == set(ids)
    until(lambda: len(told) == len(ids))
    assert sorted(str(receipt.id) for receipt in told) == sorted(ids)  # each once


def test_what_has_no_receipt_is_sent_again_with_the_same_id(
    redis_url: str, make_settings: MakeSettings
) -> None:
    def second_time(message: ParsedMessage) -> bool:
        return message.images[0].attempt == 2

    settings = make_settings(redis_url=redis_url, receipt_timeout_s=0.3)
    with Judge(redis_url, second_time) as judge, camera(settings) as source:
        id_ = source.submit("/a.png")
        assert source.wait(20)
    assert [(m.images[0].id, m.images[0].attempt) for m in judge.messages] == [(id_, 1), (id_, 2)]


def test_nothing_is_sent_twice_while_it_waits_in_the_queue(
    redis_url: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(redis_url=redis_url, receipt_timeout_s=0.2)
    with redis.Redis.from_url(redis_url) as client, camera(settings) as source:
        source.submit("/a.png")
        assert source.wait_sent(10)
        time.sleep(1)  # five timeouts; the tenth would send it again
        assert client.llen("inspect") == 1


def test_what_a_worker_took_after_a_long_wait_has_its_time_from_then(
    redis_url: str, make_settings: MakeSettings
) -> None:
    """In a backlog every picture is late when it is taken; a copy of each would double it."""
    settings = make_settings(redis_url=redis_url, receipt_timeout_s=4)
    with redis.Redis.from_url(redis_url) as client, camera(settings) as source:
        source.submit("/a.png")
        assert source.wait_sent(10)
        time.sleep(8)  # two timeouts in the queue
        client.rpop("inspect")
        time.sleep(1.5)
        assert client.llen("inspect") == 0
        until(lambda: client.llen("inspect") == 1)  # whoever took it has lost it


def test_a_redis_that_answers_late_is_not_taken_for_a_clock_that_differs(
    private_redis: RedisServer, make_settings: MakeSettings
) -> None:
    """A message that says it was sent later than it was would be sent again while it waits."""
    with (
        Judge(private_redis.url) as judge,
        camera(make_settings(redis_url=private_redis.url)) as source,
    ):
        source.submit("/first.png")
        assert source.wait(20)
        freeze(private_redis.pid)
        source.submit("/a.png")
        time.sleep(3)
        os.kill(private_redis.pid, signal.SIGCONT)
        assert source.wait(20)
        now = datetime.now(UTC)
    assert judge.messages[-1].envelope.enqueued_at <= now


def test_a_full_queue_stays_in_the_spool(redis_url: str, make_settings: MakeSettings) -> None:
    settings = make_settings(redis_url=redis_url, max_queue_depth=3, images_per_message=1)
    with redis.Redis.from_url(redis_url) as client, camera(settings) as source:
        ids = [str(source.submit(f"/{i}.png")) for i in range(10)]
        until(lambda: source.status().sender.queue_full)
        assert client.llen("inspect") == 3
        assert source.status().spool.queued == 7
        with Judge(redis_url) as judge:
            assert source.wait(30)
    assert judge.pictures == ids


def test_redis_out_of_memory(private_redis: RedisServer, make_settings: MakeSettings) -> None:
    settings = make_settings(redis_url=private_redis.url)
    with private_redis.client() as client, camera(settings) as source:
        client.config_set("maxmemory", "1")
        ids = [str(source.submit(f"/{i}.png")) for i in range(10)]
        until(lambda: "maxmemory" in (source.status().sender.trouble or ""))
        assert source.status().spool.queued == 10
        client.config_set("maxmemory", "0")
        with Judge(private_redis.url) as judge:
            assert source.wait(30)
    assert judge.pictures == ids


def test_private_redis_on_its_socket(tmp_path: Path, make_settings: MakeSettings) -> None:
    settings = make_settings(redis_url="")
    settings.private_redis_socket.parent.mkdir(parents=True)
    server = RedisServer(tmp_path, unixsocket=str(settings.private_redis_socket))
    server.start()
    try:
        with Judge(server.url) as judge, camera(settings) as source:
            id_ = source.submit("/a.png")
            assert source.wait(20)
        assert judge.pictures == [str(id_)]
    finally:
        server.kill()


def test_copy_lives_until_the_receipt(
    tmp_path: Path, redis_url: str, make_settings: MakeSettings
) -> None:
    picture = tmp_path / "volatile.png"
    picture.write_bytes(b"picture")
    with camera(make_settings(redis_url=redis_url, spool_copy=True)) as source:
        source.submit(picture)
        picture.unlink()
        (copy,) = source.spool.pictures_folder.iterdir()
        assert copy.read_bytes() == b"picture"
        with Judge(redis_url) as judge:
            assert source.wait(20)
        assert judge.messages[0].images[0].uri == str(copy)
        until(lambda: not copy.exists())


def test_a_burst_that_cannot_be_copied_leaves_nothing(
    tmp_path: Path, redis_url: str, make_settings: MakeSettings
) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"picture")
    with camera(make_settings(redis_url=redis_url, spool_copy=True)) as source:
        with pytest.raises(Exception, match=r"gone\.png cannot be copied"):
            source.submit_many([picture, tmp_path / "gone.png"])
        assert source.status().spool.pictures == 0
        assert list(source.spool.pictures_folder.iterdir()) == []


def test_forked_child_is_told(redis_url: str, make_settings: MakeSettings) -> None:
    with camera(make_settings(redis_url=redis_url)) as source:
        child = os.fork()
        if child == 0:
            try:
                source.submit("/a.png")
            except SpoolError as error:
                os._exit(7 if "another process" in str(error) else 8)
            os._exit(9)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_closed_camera_is_told(redis_url: str, make_settings: MakeSettings) -> None:
    source = camera(make_settings(redis_url=redis_url))
    source.close()
    source.close()
    with pytest.raises(SpoolError, match="closed"):
        source.submit("/a.png")


def test_callback_that_fails_loses_nothing(redis_url: str, make_settings: MakeSettings) -> None:
    told: list[Receipt] = []

    def fail(receipt: Receipt) -> None:
        told.append(receipt)
        raise RuntimeError("the PLC is off")

    with Judge(redis_url), camera(make_settings(redis_url=redis_url), fail) as source:
        source.submit("/a.png")
        source.submit("/b.png")
        assert source.wait(20)
        until(lambda: len(told) == 2)


def test_a_receipt_that_cannot_be_read_holds_nobody_up(
    redis_url: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(redis_url=redis_url)
    with redis.Redis.from_url(redis_url) as client, Judge(redis_url), camera(settings) as source:
        client.rpush(f"linewatch:receipts:{source.spool.producer_id}", "not json", "{}")
        source.submit("/a.png")
        assert source.wait(20)


def _submit(settings: Settings, prefix: str, count: int, linger: float) -> None:
    with camera(settings) as source:
        for i in range(count):
            source.submit(f"/{prefix}{i}.png")
            time.sleep(0.002)
        time.sleep(linger)


def test_two_processes_one_spool_and_the_drainer_dies(
    redis_url: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(redis_url=redis_url)
    context = multiprocessing.get_context("spawn")
    first = context.Process(target=_submit, args=(settings, "first", 40, 600))
    with Judge(redis_url) as judge:
        first.start()
        until(lambda: len(judge.pictures) == 40, 60)  # so it is the one that drains
        with camera(settings) as second:
            second.submit("/second.png")
            until(lambda: len(judge.pictures) == 41)  # sent by the first
            assert not second.status().sender.draining
            first.kill()
            first.join(10)
            for i in range(20):
                second.submit(f"/after{i}.png")
            assert second.wait(20)
            assert second.status().sender.draining
    names = [image.uri for message in judge.messages for image in message.images]
    assert len(names) == len(set(names)) == 61


def test_the_log_of_the_spool_stays_small_while_the_broker_is_away(
    make_settings: MakeSettings,
) -> None:
    settings = make_settings(redis_url="redis://127.0.0.1:1/0", spool_sync="normal")
    with camera(settings) as source:
        log = source.spool.path.with_name(source.spool.path.name + "-wal")
        largest = 0
        while largest < 32 * 1024**2 or log.stat().st_size > largest / 2:
            source.submit("/a.png")
            time.sleep(0.002)  # 400 pictures a second, so that the log is in use all the time
            largest = max(largest, log.stat().st_size)
            assert largest < 256 * 1024**2, "it is never folded into the file"

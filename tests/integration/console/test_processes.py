"""Several processes serve one console: what one of them knows that matters, all know."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import redis
from sqlalchemy import Engine

from console.access import passwords
from console.access.visitor import COOKIE
from console.pages.products.handing_over import handing_over_of
from console.pages.review.claims import claims_of
from console.pages.review.shelves import KEYS, Shelves, shelves_of
from db.people import sessions, users
from db.session import engine_for, transaction
from linewatch.doctor.console_checks import connections
from linewatch.doctor.findings import State
from linewatch.services import free_port
from linewatch.settings import Settings
from quality.audit.draw import PassName
from tests.support.console import OWN_SITE, client_of, console_app
from tests.support.waiting import until

PASSWORD = "a sentence of words"


@pytest.fixture
def plant(make_settings: Callable[..., Settings], redis_url: str, sqlite_url: str) -> Engine:
    make_settings(redis_url=redis_url)
    engine = engine_for(sqlite_url)
    with transaction(engine) as connection:
        users.add(connection, "ida", "admin", password_hash=passwords.hashed(PASSWORD), by="test")
    return engine


def test_wrong_passwords_count_in_all_processes(plant: Engine) -> None:
    wrong = {"name": "ida", "password": "not hers"}
    both = [client_of(console_app(plant)) for _ in range(2)]
    said = [both[n % 2].post("/sign-in", data=wrong).status_code for n in range(12)]
    assert said == [401] * 10 + [429] * 2
    right = both[0].post("/sign-in", data={"name": "ida", "password": PASSWORD})
    assert right.status_code == 429
    assert client_of(console_app(plant)).post("/sign-in", data=wrong).status_code == 429


def test_each_process_counts_for_itself_without_redis(
    plant: Engine, make_settings: Callable[..., Settings]
) -> None:
    make_settings(redis_url="redis://127.0.0.1:1/0")
    client, wrong = client_of(console_app(plant)), {"name": "ida", "password": "not hers"}
    said = [client.post("/sign-in", data=wrong).status_code for _ in range(11)]
    assert said == [401] * 10 + [429]


@pytest.mark.parametrize("redis_is", ["there", "away"])
def test_who_asks_often_at_one_moment_gets_no_more_tries(
    plant: Engine,
    make_settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    redis_is: str,
) -> None:
    """All are under way before the first of them turns out to be wrong."""
    if redis_is == "away":
        make_settings(redis_url="redis://127.0.0.1:1/0")
    clients = [client_of(console_app(plant)) for _ in range(2 if redis_is == "there" else 1)]
    wrong = {"name": "ida", "password": "not hers"}
    compared: list[str] = []

    def slowly(password: str, _hash: str | None) -> bool:
        compared.append(password)
        time.sleep(0.5)
        return password == PASSWORD

    monkeypatch.setattr(passwords, "verify", slowly)
    with ThreadPoolExecutor(12 * len(clients)) as pool:
        asked = [
            pool.submit(client.post, "/sign-in", data=wrong)
            for client in clients
            for _ in range(12)
        ]
        said = sorted(one.result().status_code for one in asked)
    assert said == [401] * 10 + [429] * (len(said) - 10)
    assert len(compared) == 10


def test_a_right_password_counts_nothing(plant: Engine, redis_url: str) -> None:
    client = client_of(console_app(plant))
    right = {"name": "ida", "password": PASSWORD}
    assert [client.post("/sign-in", data=right).status_code for _ in range(12)] == [303] * 12
    client.post("/sign-in", data={**right, "password": "not hers"})
    assert client_of(console_app(plant)).post("/sign-in", data=right).status_code == 303
    with redis.Redis.from_url(redis_url) as link:
        for key in link.scan_iter("linewatch:console:failed:*"):
            assert link.zcount(key, 1, "+inf") == 1
            assert link.ttl(key) > 0


def test_who_looks_at_a_part_is_known_in_all_processes(plant: Engine, redis_url: str) -> None:
    one, other = (claims_of(console_app(plant).state.site) for _ in range(2))
    part = PassName("cable", "SN-ü", "", 2)
    one.claim(part, "ida")
    assert (other.by_others("max"), other.by_others("ida")) == ({part}, set())
    with redis.Redis.from_url(redis_url) as client:
        assert 0 < client.ttl("linewatch:console:claims") <= 60
    one.claim(None, "ida")
    assert other.by_others("max") == set()


def test_one_person_hands_a_file_over_in_all_processes(plant: Engine, redis_url: str) -> None:
    one, other = (handing_over_of(console_app(plant).state.site) for _ in range(2))
    key = "linewatch:console:handing-over:plug:" + "a" * 64
    assert one.claim("plug", "a" * 64, "idä") is None
    assert [each.claim("plug", "a" * 64, "max") for each in (one, other)] == ["idä"] * 2
    assert other.claim("plug", "b" * 64, "max") is None, "another file"
    assert other.claim("cable", "a" * 64, "max") is None, "another product"
    with redis.Redis.from_url(redis_url) as client:
        assert 0 < client.ttl(key) <= 60, "a process that dies holds nobody up for long"
        with one.held("plug", "a" * 64, "idä"):
            pass
        assert 3500 < client.ttl(key) <= 3600, "until workers have looked at it"
        assert other.claim("plug", "a" * 64, "max") == "idä"
        with pytest.raises(OSError, match="no room"), other.held("plug", "b" * 64, "max"):
            raise OSError("no room")
        assert one.claim("plug", "b" * 64, "idä") is None, "who failed lets others try"


def test_one_person_of_a_process_hands_a_file_over_without_redis(
    plant: Engine, make_settings: Callable[..., Settings]
) -> None:
    make_settings(redis_url="redis://127.0.0.1:1/0")
    one, other = (handing_over_of(console_app(plant).state.site) for _ in range(2))
    assert one.claim("plug", "a" * 64, "ida") is None
    assert (one.claim("plug", "a" * 64, "max"), other.claim("plug", "a" * 64, "eva")) == (
        "ida",
        None,
    )
    with pytest.raises(OSError, match="no room"), one.held("plug", "a" * 64, "ida"):
        raise OSError("no room")
    assert one.claim("plug", "a" * 64, "max") is None


def test_a_class_keeps_its_key_in_all_processes(plant: Engine) -> None:
    one, other = (shelves_of(console_app(plant).state.site) for _ in range(2))
    known = [f"class-{n}" for n in range(50)]

    def at_hand(shelves: Shelves, begin: Sequence[str] = known[:3]) -> list[str]:
        return shelves.codes("cable", "ida", known, lambda: begin)

    assert at_hand(one) == known[:3]
    assert at_hand(other, known[10:13]) == known[:3], "it began in another process"
    other.use("cable", "ida", "class-40", "class-0")
    assert at_hand(one) == [*known[:3], "class-40"]
    for number in range(11, 40):  # more than there are keys: those unused for longest make room
        (one if number % 2 else other).use("cable", "ida", f"class-{number}", "class-0")
    assert at_hand(one) == at_hand(other)
    assert at_hand(one)[0] == "class-0"
    assert (len(at_hand(one)), "class-39" in at_hand(other)) == (len(KEYS), True)
    shelf = shelves_of(console_app(plant).state.site)
    assert shelf.codes("cable", "ida", known[:5], lambda: known[:2]) == known[:2], "other classes"
    assert at_hand(one) == known[:2]


def test_the_doctor_says_what_the_processes_take(
    make_settings: Callable[..., Settings], postgresql_url: str
) -> None:
    few = make_settings(database_url=postgresql_url, console_processes=2)
    found = list(connections(few))
    assert [one.state for one in found] == [State.OK]
    assert "2 processes with 30 connections at most" in found[0].detail
    many = make_settings(database_url=postgresql_url, console_processes=32)
    assert [one.state for one in connections(many)] == [State.WARN]


@contextmanager
def console(port: int, processes: int) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "linewatch", "console", "--port", str(port)]
    environment = {**os.environ, "LINEWATCH_CONSOLE_PROCESSES": str(processes)}
    with subprocess.Popen(command, env=environment) as process:
        try:
            until(lambda: answers(port) or process.poll() is not None, 120)
            yield process
        finally:
            process.terminate()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).is_success
    except httpx.HTTPError:
        return False


def children(parent: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, after = stat.read_text().rsplit(")", 1)
        except OSError:  # it has ended meanwhile
            continue
        state, its_parent = after.split()[:2]
        if int(its_parent) == parent and state != "Z":
            found.add(int(name.split()[0]))
    return found


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_processes_share_a_port_replace_each_other_and_end_together(plant: Engine) -> None:
    port = free_port()
    with transaction(plant) as connection:
        token = sessions.begin(connection, "ida", lasts=timedelta(hours=1), agent="test")
    with console(port, 2) as process:
        first = children(process.pid)
        assert len(first) == 2
        until(lambda: _signed_in(port, token) == {200}, 60)
        lost = first.pop()
        os.kill(lost, signal.SIGKILL)
        until(lambda: len(children(process.pid) - {lost}) == 2, 60)
        assert answers(port)
        with transaction(plant) as connection:
            sessions.revoke_all(connection, "ida")
        assert _signed_in(port, token) == {401}  # in whichever process
        left = children(process.pid)
    assert process.returncode == 0
    until(lambda: not any(runs(pid) for pid in left), 30)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_process_outlives_a_console_that_is_killed(plant: Engine) -> None:
    with console(free_port(), 2) as process:
        left = children(process.pid)
        assert len(left) == 2
        process.kill()
    until(lambda: not any(runs(pid) for pid in left), 60)


def _signed_in(port: int, token: str) -> set[int]:
    """What new connections are answered, which go to either process."""
    url = f"http://127.0.0.1:{port}/api/v1/account"
    said = (
        httpx.get(url, cookies={COOKIE: token}, headers=OWN_SITE, timeout=30) for _ in range(12)
    )
    return {answer.status_code for answer in said}

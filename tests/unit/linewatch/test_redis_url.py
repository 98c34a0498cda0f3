"""A Redis URL that cannot work is refused in one sentence, without its password."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import kombu
import pytest
import redis

from linewatch.errors import ConfigurationError
from linewatch.settings import get_settings

SECRET = "Zq7secret"
WRONG = [
    (f"redis://:p@{SECRET}/word@redis.plant", "%40"),
    (f"redis://worker:{SECRET}/word@redis.plant:6379/0", "%2F"),
    (f"redis://worker:{SECRET}#word@redis.plant:6379/0", "%23"),
    (f"redis://worker:{SECRET}?word@redis.plant:6379/0", "%3F"),
    (f"redis://worker:{SECRET}[word@redis.plant:6379/0", "%5B"),
    (f"redis://worker:{SECRET}]word@redis.plant:6379/0", "%5B"),
    (f"redis://worker:50%{SECRET}@redis.plant:6379/0", "%25"),
    (f"redis://worker:{SECRET} word@redis.plant:6379/0", "blank"),
    (f"redis://worker:{SECRET}\nword@redis.plant:6379/0", "blank"),
    (f'"redis://worker:{SECRET}@redis.plant:6379/0"', "redis://"),
    (f"redis://worker:{SECRET}", "port"),
    (f"redis://worker:{SECRET}@redis.plant:port/0", "port"),
    (f"redis://worker:{SECRET}@redis.plant:99999/0", "port"),
    (f"redis://worker:{SECRET}@redis.plant/zero", "database"),
    (f"redis://worker:{SECRET}@redis.plant/0/1", "database"),
    (f"redis://worker:{SECRET}@redis.plant/0?colour=red", "colour"),
    (f"redis://worker:{SECRET}@redis.plant/0?socket_timeout=soon", "socket_timeout"),
    (f"redis://worker:{SECRET}@/0", "no host"),
    ("redis://", "no host"),
    (f"sentinel://:{SECRET}@one:26379", "Sentinel"),
    (f"sentinel://one:26379;sentinel://:{SECRET}@two:26379", "several"),
    (f"redis+sentinel://:{SECRET}@one:26379/mymaster/0", "Sentinel"),
    (f"redis://:{SECRET}@one:6379,two:6379/0", "several hosts"),
    (f"redis://:{SECRET}@one:6379;two:6379/0", "several hosts"),
    (f"redis://:{SECRET}@one:6379,redis://two:6379", "several servers"),
    ("redis.plant:6379", "no scheme"),
    ("redis.plant", "no scheme"),
    ("127.0.0.1:6379/0", "no scheme"),
    (f":{SECRET}@redis.plant:6379/0", "no scheme"),
    ("redis:redis.plant", "no scheme"),
    ("http://redis.plant:6379", "http://"),
    ("amqp://redis.plant", "amqp://"),
    (f"REDIS://:{SECRET}@redis.plant:6379", "redis://"),
    (f"redis://:{SECRET}@redis.plant/0?ssl_cert_reqs=none", "ssl_cert_reqs"),
    (f"rediss://:{SECRET}@redis.plant/0?db=1", "db"),
    ("unix:///run/redis.sock", "unix://"),
    ("redis+socket:///run/redis.sock", "redis+socket://"),
]
RIGHT = [
    "redis://redis.plant",
    "redis://redis.plant:6379",
    "redis://redis.plant:6379/",
    "redis://redis.plant:6379/3",
    "redis://:p%40ss%2Fword@redis.plant:6379/0",
    "redis://worker:p%25%23%3F@redis.plant:6379/0",
    "rediss://worker:word@redis.plant:6379/0",
    "redis://[::1]:6379/0",
    "rediss://redis.plant/0?ssl_cert_reqs=none",
    "  redis://redis.plant:6379/0\n",
]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.mark.parametrize(("url", "words"), WRONG)
def test_what_cannot_work_is_one_sentence_that_says_what_to_write(
    monkeypatch: pytest.MonkeyPatch, url: str, words: str
) -> None:
    monkeypatch.setenv("LINEWATCH_REDIS_URL", url)
    with pytest.raises(ConfigurationError) as caught:
        get_settings()
    text = str(caught.value)
    assert text.startswith("LINEWATCH_REDIS_URL: ")
    assert words in text
    assert "\n" not in text
    assert SECRET not in text


@pytest.mark.parametrize("url", RIGHT)
def test_what_works_means_the_same_to_redis_and_kombu(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("LINEWATCH_REDIS_URL", url)
    settings = get_settings()
    theirs = redis.ConnectionPool.from_url(settings.redis_client_url).connection_kwargs
    ours = kombu.Connection(settings.broker_url)
    assert theirs["host"] == ours.hostname
    assert theirs.get("password") == ours.password
    assert theirs.get("port", 6379) == (ours.port or 6379)
    assert int(theirs.get("db") or 0) == int(ours.virtual_host.strip("/") or 0)


@pytest.mark.parametrize(
    "arguments",
    [["doctor"], ["doctor", "--beat"], ["worker"], ["beat"], ["flower"], ["top"], ["up"]],
    ids=" ".join,
)
def test_every_program_ends_with_code_2_at_once(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "linewatch", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={
            "PATH": "/usr/bin:/bin",
            "LINEWATCH_DATA_DIR": str(tmp_path),
            "LINEWATCH_REDIS_URL": f"redis://worker:{SECRET}/word@redis.plant:6379/0",
        },
    )
    assert done.returncode == 2
    assert done.stderr.startswith("linewatch: LINEWATCH_REDIS_URL: ")
    assert done.stderr.count("\n") == 1
    assert SECRET not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://worker:p@{SECRET}/word@db.plant/linewatch",
        f"postgresql://worker@db.plant:{SECRET}/linewatch",
        f"postgresql://worker:{SECRET}@db.plant:port/linewatch",
        f"{SECRET}@db.plant",
    ],
)
def test_a_database_url_with_something_special_is_refused_likewise(url: str) -> None:
    from db.session import database_url

    with pytest.raises(ConfigurationError) as caught:
        database_url(url)
    assert "LINEWATCH_DATABASE_URL" in str(caught.value)
    assert "%2F" in str(caught.value)
    assert SECRET not in str(caught.value)

"""Keys get the prefix of the settings, and a command whose keys are unknown is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from kombu.transport.redis import Channel

from linewatch.redis_access.client import prefixed
from linewatch.redis_access.keys import BEAT_LOCK, BEAT_PREFIX, HELD, HELD_SINCE
from linewatch.settings import Settings

ROOT = Path(__file__).parents[3]


def test_each_key_of_a_command_gets_the_prefix() -> None:
    assert prefixed("p:", ("LLEN", "inspect")) == ("LLEN", "p:inspect")
    assert prefixed("p:", ("HGET", b"a", "field")) == ("HGET", b"p:a", "field")
    assert prefixed("p:", ("EXISTS", "a", "b")) == ("EXISTS", "p:a", "p:b")
    assert prefixed("p:", ("TIME",)) == ("TIME",)
    assert prefixed("", ("FLUSHALL", "x")) == ("FLUSHALL", "x")


def test_a_command_whose_keys_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"SUNION: add to linewatch/redis_access/client\.py"):
        prefixed("p:", ("SUNION", "a", "b"))


@pytest.mark.parametrize("prefix", ["a b", "*", "x" * 65, "{tag}", "a\n"])
def test_a_prefix_that_means_something_to_redis_is_refused(prefix: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="redis_key_prefix"):
        Settings(redis_key_prefix=prefix, data_dir=tmp_path)


def test_the_names_are_those_of_kombu_and_redbeat() -> None:
    assert (Channel.unacked_key, Channel.unacked_index_key) == (HELD, HELD_SINCE)
    assert f"{BEAT_PREFIX}:lock" == BEAT_LOCK


def test_they_are_spelt_once() -> None:
    spelt = re.compile(rf"""["'](?:{HELD}|{HELD_SINCE}|{BEAT_LOCK})["']""")
    packages = ("benchmarks", "db", "linewatch", "producer", "training", "workers")
    files = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    found = [path.relative_to(ROOT).as_posix() for path in files if spelt.search(path.read_text())]
    assert found == ["linewatch/redis_access/keys.py"]

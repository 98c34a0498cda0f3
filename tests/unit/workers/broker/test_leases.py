"""Whose leases are renewed, by which clock, and when a keeper ends; without a Redis."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import pytest

from workers.broker import leases
from workers.broker.deliveries import Deliveries
from workers.broker.leases import LeaseKeeper

NOW = (1_700_000_000, 250_000)  # as Redis says it: seconds and microseconds


class Noted:
    """What a keeper tells Redis."""

    def __init__(self) -> None:
        self.renewed: list[tuple[str, dict[str, float], bool]] = []

    def time(self) -> tuple[int, int]:
        """The clock of Redis."""
        return NOW

    def zadd(self, key: str, scores: Mapping[str, float], *, xx: bool = False) -> int:
        """Renew; `xx`: nothing that is not there."""
        self.renewed.append((key, dict(scores), xx))
        return 0


class Keeper:
    """A keeper of what a test says is held."""

    def __init__(self) -> None:
        self.client, self.let_go = Noted(), list[str]()
        self.held, self.worked_on, self.stuck = list[str](), set[str](), list[str]()
        self.of = LeaseKeeper(
            cast(Any, self.client),
            "index",
            lambda: self.held,
            lambda: self.worked_on,
            60.0,
            lambda: self.stuck,
            self.let_go.append,
        )

    @property
    def renewed(self) -> list[set[str]]:
        return [set(scores) for _, scores, _ in self.client.renewed]


def test_what_is_held_is_renewed_by_the_clock_of_redis_and_only_where_it_is_held_still() -> None:
    keeper = Keeper()
    keeper.held = ["a", "b"]
    assert keeper.of.renew() == 2
    assert keeper.client.renewed == [
        ("index", dict.fromkeys("ab", pytest.approx(1_700_000_000.25)), True)
    ]


def test_with_nothing_held_redis_is_not_asked() -> None:
    keeper = Keeper()
    assert keeper.of.renew() == 0
    assert keeper.client.renewed == []


def test_what_became_no_task_is_let_go_and_not_renewed() -> None:
    keeper = Keeper()
    keeper.held, keeper.stuck = ["a", "b"], ["b", "another connection's"]
    assert keeper.of.renew() == 1
    assert (keeper.renewed, keeper.let_go) == ([{"a"}], ["b"])


def test_once_retired_it_keeps_what_tasks_are_at_until_none_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    books = Deliveries()
    monkeypatch.setattr(leases, "deliveries", books)
    keeper = Keeper()
    keeper.held, keeper.worked_on = ["a", "b"], {"a", "of another connection"}
    for tag in keeper.held:
        books.taken(tag)
    keeper.of.retire()
    assert keeper.of.renew() == 1
    assert keeper.renewed == [{"a"}]
    assert (books.waits("a"), books.waits("b")) == (True, False)
    assert not keeper.of._thread.stopping
    keeper.worked_on = set()
    assert keeper.of.renew() == 0
    assert keeper.of._thread.stopping


def test_before_it_retires_it_keeps_what_no_task_is_at_yet() -> None:
    keeper = Keeper()
    keeper.held = ["a"]
    assert keeper.of.renew() == 1
    assert not keeper.of._thread.stopping


def test_a_task_that_begins_and_ends_is_in_the_books_under_its_delivery(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    books, cleared = Deliveries(), list[str]()
    monkeypatch.setattr(leases, "deliveries", books)
    monkeypatch.setattr(leases, "quarantine", SimpleNamespace(clear=cleared.append))
    task = SimpleNamespace(request=SimpleNamespace(properties={"delivery_tag": "a"}))
    books.taken("a")
    leases._begun(task)
    assert (books.waits("a"), books.load().running, cleared) == (False, 1, ["a"])
    leases._ended(task)
    assert (books.load().running, books.load().begun, books.load().ended) == (0, 1, 1)
    called_here = SimpleNamespace(request=SimpleNamespace(properties=None))
    assert leases._tag(called_here) == "None"

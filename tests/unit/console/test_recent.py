"""What is costly is found by one who asks; nobody else waits who need not."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine

from console.pages.review.recent import Recent

ENGINE = create_engine("sqlite://")


class Finder:
    """Counts how often it was asked, and answers when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __call__(self) -> int:
        self.asked += 1
        self.begun.set()
        assert self.may_end.wait(10)
        return self.asked


@pytest.fixture
def find() -> Finder:
    return Finder()


def test_one_finds_and_the_others_wait_for_it(find: Finder) -> None:
    recent: Recent[int] = Recent(60)
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(recent.get, ENGINE, "a", find) for _ in range(4)]
        assert find.begun.wait(10)
        find.may_end.set()
        assert [answer.result(10) for answer in answers] == [1, 1, 1, 1]
    assert recent.get(ENGINE, "b", find) == 2


def test_the_old_value_serves_while_a_new_one_is_found(find: Finder) -> None:
    recent: Recent[int] = Recent(0)
    assert recent.get(ENGINE, "a", lambda: 7) == 7
    with ThreadPoolExecutor(1) as threads:
        new = threads.submit(recent.get, ENGINE, "a", find)
        assert find.begun.wait(10)
        assert recent.get(ENGINE, "a", _never) == 7
        find.may_end.set()
        assert new.result(10) == 1


def test_a_value_that_must_be_new_is_not_an_old_one(find: Finder) -> None:
    recent: Recent[int] = Recent(60)
    find.may_end.set()
    told = [recent.get(ENGINE, "a", find, anew=anew) for anew in (False, False, True, False)]
    assert told == [1, 1, 2, 2]


def test_what_cannot_be_found_stops_nobody() -> None:
    recent: Recent[int] = Recent(60)
    with pytest.raises(ZeroDivisionError):
        recent.get(ENGINE, "a", lambda: 1 // 0)
    assert recent.get(ENGINE, "a", lambda: 3) == 3


def _never() -> int:
    raise AssertionError("another finds it")

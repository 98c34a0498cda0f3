"""Messages that came back from dead workers: counted in SQL, held up in front of Celery."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from db.inspections import suspects
from workers.broker import redelivery
from workers.broker.arrivals import LONGEST_WAIT_S, Arrivals
from workers.broker.deliveries import deliveries
from workers.broker.fetch import Taken
from workers.broker.poison import Fate
from workers.broker.quarantine import Quarantine, content_key, held_key, suspect_key


def item(number: int = 0, *, back: bool = True, alive: bool | None = None, **headers: Any) -> bytes:
    """A message as it lies in its queue; `back`: after its worker died, or was `alive`."""
    message: dict[str, Any] = {
        "body": str(number),
        "headers": {"id": f"task-{number}", **headers},
        "properties": {"delivery_tag": f"tag-{number}", "delivery_info": {"routing_key": "q"}},
    }
    if back:
        message["headers"]["redelivered"] = True
        message["properties"]["delivery_info"]["redelivered"] = True
        if alive is not None:
            message["headers"][redelivery.HEADER] = alive
    return json.dumps(message).encode()


def taken(number: int = 0, **options: Any) -> Taken:
    return Taken("inspect", f"tag-{number}".encode(), item(number, **options))


def key_of(number: int) -> UUID:
    key = content_key(json.loads(item(number)))
    assert key is not None
    return key


class Worker:
    """What is in front of Celery in one process; the next process has another."""

    def __init__(self, engine: Engine) -> None:
        self.quarantine = Quarantine(engine)
        self.in_hand: list[str] = []
        self.arrivals = Arrivals(lambda: self.in_hand, self.quarantine)

    def take(self, *numbers: int) -> list[tuple[int, Fate | None]]:
        """Take messages that came back; returns those that went on, and how."""
        for number in numbers:
            self.arrivals.add(taken(number))
        return self.turns()

    def turns(self) -> list[tuple[int, Fate | None]]:
        found = []
        while (turn := self.arrivals.next()) is not None:
            tag = turn.taken.tag.decode()
            if turn.fate is not Fate.CONDEMNED:
                with self.arrivals.handing_over(tag, turn):
                    self.in_hand.append(tag)
            found.append((int(tag.removeprefix("tag-")), turn.fate))
        return found

    def begin(self, number: int) -> None:
        deliveries.begun(f"tag-{number}")
        self.quarantine.clear(f"tag-{number}")

    def end(self, number: int) -> None:
        deliveries.ended(f"tag-{number}")
        self.in_hand.remove(f"tag-{number}")


@pytest.fixture(autouse=True)
def _nothing_held() -> Iterator[None]:
    yield
    for number in range(10):
        deliveries.settled(f"tag-{number}")
        deliveries.ended(f"tag-{number}")


def test_who_kills_is_tried_alone_and_condemned_and_its_neighbour_goes_on(engine: Engine) -> None:
    killer, neighbour = 1, 2
    # Once each worker dies with the killer and its neighbour; the first death is that of the one
    # that had them first.
    assert Worker(engine).take(neighbour, killer) == [
        (neighbour, Fate.TOGETHER),
        (killer, Fate.TOGETHER),
    ]
    second = Worker(engine)
    assert second.take(killer) == [(killer, Fate.ALONE)]
    assert second.take(neighbour, 3) == []  # what arrives meanwhile waits
    assert second.arrivals.tags() == ["tag-2", "tag-3"]
    assert second.arrivals.closed
    third = Worker(engine)  # for the second died of the killer
    deliveries.settled("tag-1")
    assert third.take(killer, neighbour) == [(killer, Fate.CONDEMNED), (neighbour, Fate.ALONE)]
    third.begin(neighbour)
    third.quarantine.forget(key_of(killer))
    assert suspects.total(engine) == 0


def test_one_that_is_to_be_alone_waits_for_the_others(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        Worker(engine).quarantine.begin(key_of(1), alone=False)
        deliveries.settled("tag-1")
    worker = Worker(engine)
    assert worker.take(5) == [(5, Fate.TOGETHER)]
    worker.begin(5)
    assert worker.take(1) == []
    worker.end(5)
    assert worker.turns() == [(1, Fate.ALONE)]
    assert worker.arrivals.closed
    worker.begin(1)
    assert not worker.arrivals.closed
    assert suspects.total(engine) == 0


def test_it_does_not_wait_for_ever(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture on a share that hangs may be in hand for days."""
    for _ in range(2):
        Worker(engine).quarantine.begin(key_of(1), alone=False)
    worker = Worker(engine)
    worker.in_hand.append("hangs")
    assert worker.take(1) == []
    monkeypatch.setattr("workers.broker.arrivals.LONGEST_WAIT_S", 0.0)
    assert LONGEST_WAIT_S > 0
    assert worker.turns() == [(1, Fate.TOGETHER)]
    (counts,) = suspects.counts(engine, [key_of(1)]).values()
    assert (counts.deaths, counts.alone) == (4, 0)  # so this death condemns nobody


def test_one_that_is_held_for_nothing_is_condemned_without_being_alone(engine: Engine) -> None:
    entry = json.dumps([json.loads(item(1, back=False)), "", "q"]).encode()
    for time in range(3):
        worker = Worker(engine)
        worker.in_hand.append("another")
        if time:
            assert worker.take(1) == [(1, Fate.TOGETHER)]
        key = held_key(entry)
        assert key is not None
        worker.quarantine.convict("tag-1", key)
        deliveries.settled("tag-1")
    worker = Worker(engine)
    worker.in_hand.append("another")
    assert worker.take(1) == [(1, Fate.CONDEMNED)]


def test_a_database_that_is_away_keeps_no_message_from_celery(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE suspects RENAME TO away"))
    assert Worker(engine).take(1, 2) == [(1, Fate.TOGETHER), (2, Fate.TOGETHER)]


def test_only_what_came_back_from_a_dead_worker_is_suspect() -> None:
    assert suspect_key(item(back=False)) is None
    assert suspect_key(item(back=False, note="redelivered")) is None
    assert suspect_key(item(alive=True)) is None
    assert suspect_key(item(alive=False)) == suspect_key(item()) is not None
    for broken in (
        b"redelivered",
        b'"redelivered"',
        b'{"headers": "redelivered"}',
        b"\xffredelivered",
    ):
        assert suspect_key(broken) is None


def test_a_message_is_known_by_its_content_however_often_it_comes_back() -> None:
    first = held_key(json.dumps([json.loads(item(back=False)), "", "q"]).encode())
    assert first == suspect_key(item()) == suspect_key(item(alive=False))
    assert first == suspect_key(item(note="dropped by whoever took it"))
    others = [item(1), item(id=str(uuid4())), item(task="another")]
    assert len({first, *map(suspect_key, others)}) == 4


def test_what_breaks_in_celery_is_the_messages_fault(engine: Engine) -> None:
    worker = Worker(engine)
    worker.arrivals.add(taken(1))
    turn = worker.arrivals.next()
    assert turn is not None
    with pytest.raises(ZeroDivisionError), worker.arrivals.handing_over("tag-1", turn):
        raise ZeroDivisionError
    assert not deliveries.blameless("tag-1")

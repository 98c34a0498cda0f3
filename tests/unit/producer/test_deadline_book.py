from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from producer.deadline_book import DeadlineBook, Expected

START = datetime(2026, 11, 28, 6, tzinfo=UTC)
DEADLINE_S = 1.0


class Plant:
    """A book, and a clock that is put where a test wants it."""

    def __init__(self) -> None:
        self.book = DeadlineBook(DEADLINE_S, START)

    def picture(
        self,
        part: str = "SN-1",
        at: float = 0.0,
        *,
        now: float | None = None,
        view: str | None = None,
        views: tuple[str, ...] = (),
        ids: int = 1,
    ) -> list[UUID]:
        found = [uuid4() for _ in range(ids)]
        moment = at if now is None else now
        expected = Expected(part, START + timedelta(seconds=at), part, views=views, view=view)
        self.book.expect(
            expected, found, now=START + timedelta(seconds=moment), clock_s=100 + moment
        )
        return found

    def told(self, at: float) -> list[str | None]:
        return [missed.part for missed in self.book.due(100 + at)]


@pytest.fixture
def plant() -> Plant:
    return Plant()


def test_a_part_is_told_once_at_its_deadline_and_what_comes_later_is_late(plant: Plant) -> None:
    first, second = plant.picture()[0], plant.picture(at=0.4)[0]
    assert plant.book.next_due_s() == pytest.approx(101)
    assert plant.told(0.99) == []
    assert not plant.book.answered(first)
    (missed,) = plant.book.due(101.0)
    assert (missed.part, missed.pictures, missed.missing_views) == ("SN-1", (second,), ())
    assert missed.deadline == START + timedelta(seconds=1)
    assert plant.told(5) == []
    assert plant.book.answered(second)
    assert plant.book.answered(second)
    assert plant.book.next_due_s() is None


def test_a_part_with_all_its_receipts_is_not_told(plant: Plant) -> None:
    ids = [*plant.picture(), *plant.picture(at=0.1)]
    assert [plant.book.answered(id_) for id_ in ids] == [False, False]
    assert plant.book.next_due_s() is None
    assert plant.told(9) == []


def test_a_part_waits_for_each_view_that_it_needs(plant: Plant) -> None:
    views = ("top", "side")
    plant.book.answered(plant.picture(view="top", views=views)[0])
    (missed,) = plant.book.due(101.0)
    assert (missed.pictures, missed.missing_views) == ((), ("side",))
    plant.picture("SN-2", at=2, view="top", views=views, ids=0)  # captured, not handed over
    top = plant.picture("SN-2", at=2, view="top", views=views)
    side = plant.picture("SN-2", at=2.2, view="side", views=views)
    assert not any(map(plant.book.answered, [*side, *top]))
    assert plant.told(9) == []


def test_a_part_that_comes_again_after_its_deadline_has_a_new_one(plant: Plant) -> None:
    plant.picture()
    assert plant.told(1) == ["SN-1"]
    plant.picture(at=0.9, now=1.2)  # a view of then: the gate was told
    assert plant.told(3) == []
    plant.picture(at=60)
    assert plant.told(60.9) == []
    assert plant.told(61) == ["SN-1"]


def test_what_the_spool_refused_is_told_and_what_was_replaced_is_not(plant: Plant) -> None:
    plant.book.withdraw(plant.picture("refused"))
    plant.book.withdraw(plant.picture("replaced"), replaced=True)
    earlier = plant.picture("again")
    later = plant.picture("again", at=0.2)
    plant.book.withdraw(earlier, replaced=True)
    plant.book.answered(later[0])
    assert plant.told(1) == ["refused"]


def test_what_was_over_before_anybody_watched_is_not_told(plant: Plant) -> None:
    plant.picture("yesterday", at=-3600, now=0)
    plant.picture("just before", at=-0.5, now=0)
    plant.picture("taken long ago", at=0.1, now=10)  # watched all the while
    assert plant.told(0.5) == ["just before"]
    assert plant.told(10) == ["taken long ago"]


def test_a_camera_whose_clock_is_ahead_holds_up_no_gate(plant: Plant) -> None:
    plant.picture(at=3600, now=0)
    assert plant.told(1) == ["SN-1"]


def test_what_is_remembered_is_bounded(plant: Plant) -> None:
    ids = [plant.picture(f"SN-{i}")[0] for i in range(10_100)]
    assert len(plant.told(1)) == 10_100
    assert not plant.book.answered(ids[0])
    assert plant.book.answered(ids[-1])
    assert len(plant.book._of_picture) == 10_000

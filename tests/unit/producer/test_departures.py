"""When a picture has been out of the queue for too long without a receipt."""

from __future__ import annotations

from producer.departures import Departures

LONG_AGO = float("-inf")


def looked(patience_s: float, *looks: tuple[float, float]) -> float:
    departures = Departures(patience_s)
    for now_s, oldest_sent in looks:
        departures.note(now_s, oldest_sent)
    return departures.before()


def test_the_first_look_says_all_there_is_to_know() -> None:
    assert looked(20, (0, 100)) == 100
    assert Departures(20).before() == LONG_AGO


def test_a_picture_has_its_time_from_when_it_left_the_queue() -> None:
    """At 60 s the queue has come to what was sent at 55; 20 s ago it had come to 15."""
    looks = [(float(now), now - 25.0 if now < 50 else now - 5.0) for now in range(61)]
    assert looked(20, *looks) == 15


def test_what_comes_back_to_the_queue_has_its_time_anew() -> None:
    """It was with a worker that died: the queue holds something older than a while ago."""
    assert looked(20, (0, 100), (5, 40), (10, 110)) == 40
    assert looked(20, (0, 100), (5, 40), (10, 110), (26, 120)) == 110


def test_a_queue_that_was_long_ago_is_forgotten() -> None:
    """As after an outage: nobody looked for an hour, and what was sent is lost."""
    assert looked(20, (0, 100), (3600, 3700)) == 3700


def test_an_age_that_is_not_told_leaves_it_open() -> None:
    assert looked(20, (0, LONG_AGO), (10, 110)) == LONG_AGO
    assert looked(20, (0, LONG_AGO), (21, 110)) == 110

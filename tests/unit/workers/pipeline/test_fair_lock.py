"""First come, first served, with real threads."""

from __future__ import annotations

import time
from threading import Thread

from workers.pipeline.fair_lock import FairLock


def test_turns_come_in_the_order_of_asking() -> None:
    turnstile = FairLock()
    order: list[int] = []

    def pass_through(number: int) -> None:
        with turnstile:
            order.append(number)

    threads = []
    with turnstile:
        for number in range(20):
            thread = Thread(target=pass_through, args=(number,))
            thread.start()
            while len(turnstile._waiting) <= number:
                time.sleep(0.001)
            threads.append(thread)
    for thread in threads:
        thread.join(timeout=5)
    assert order == list(range(20))


def test_only_one_is_inside() -> None:
    turnstile = FairLock()
    inside, most = 0, 0

    def pass_through() -> None:
        nonlocal inside, most
        for _ in range(50):
            with turnstile:
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [Thread(target=pass_through) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert most == 1


def test_an_exception_lets_the_next_one_in() -> None:
    turnstile = FairLock()
    for _ in range(2):
        try:
            with turnstile:
                raise ValueError
        except ValueError:
            pass
    with turnstile:
        pass

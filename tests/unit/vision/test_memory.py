"""The bytes that decoders share."""

from __future__ import annotations

from threading import Event, Thread

import pytest

from producer.contract import Reason
from tests.support.waiting import until
from vision.errors import Unjudgeable
from vision.memory import DecodeMemory


class Holder(Thread):
    """Holds bytes from when it gets them until it is told to let go."""

    def __init__(self, memory: DecodeMemory, need: int) -> None:
        super().__init__(daemon=True)
        self._memory, self._need = memory, need
        self.got, self.let_go = Event(), Event()
        self.start()

    def run(self) -> None:
        with self._memory.reserve(self._need):
            self.got.set()
            self.let_go.wait(10)

    def end(self) -> None:
        self.let_go.set()
        self.join(10)
        assert not self.is_alive()


def test_no_more_is_held_than_allowed_and_the_first_comes_first() -> None:
    memory = DecodeMemory(100)
    first, second = Holder(memory, 60), Holder(memory, 40)
    assert first.got.wait(5)
    assert second.got.wait(5)
    assert memory.held == 100
    large = Holder(memory, 90)
    until(lambda: memory.waiting == 1, 5)
    small = Holder(memory, 10)
    until(lambda: memory.waiting == 2, 5)
    second.end()
    assert not small.got.wait(
        0.1
    )  # there is room for it, and a larger one would never have its turn
    first.end()
    assert large.got.wait(5)
    assert small.got.wait(5)
    assert memory.held == 100
    large.end()
    small.end()
    assert memory.held == 0


def test_what_never_fits_is_refused_with_the_setting() -> None:
    memory = DecodeMemory(5_000_000)
    limit = "LINEWATCH_DECODE_MEMORY_MB is 5"
    with pytest.raises(Unjudgeable, match=limit) as caught, memory.reserve(5_000_001):
        pass
    assert caught.value.reason is Reason.TOO_LARGE
    with memory.reserve(5_000_000):
        assert memory.held == 5_000_000


def test_a_decoder_that_fails_gives_its_bytes_back() -> None:
    memory = DecodeMemory(10)
    with pytest.raises(MemoryError), memory.reserve(10):
        raise MemoryError
    assert memory.held == 0

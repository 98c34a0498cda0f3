"""What every kind of receiver is spoken to through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from outputs.result import Result


class Driver(Protocol):
    """One receiver of one line. One thread calls it; a driver's own threads are its own affair.

    It is made from its options when the dispatcher starts (see `outputs.kinds`), and must then not
    wait for the receiver: one that is not there is found by `deliver`. What must be true before any
    result (a PLC's outputs are all low, a broker has the last will) is true once it is made.
    """

    batch: int
    """How many results `deliver` takes at most; 1 where a receiver handles one at a time."""

    def deliver(self, results: Sequence[Result]) -> None:
        """Hand results over, in their order; return once the receiver has all of them for good.

        It comes back within the receiver's `ack_timeout_s`, plus what connecting takes: a driver
        that would wait longer raises. What was not confirmed comes again, with the same ids and
        sequence numbers, and perhaps in other batches.

        Raises:
            ReceiverAwayError: it is away, too slow, or refuses; says how many it has for good.
        """

    def probe(self) -> str:
        """Reach the receiver without a result; one sentence that says what answered.

        It is called at first, every few seconds while there is nothing to tell, and by people.

        Raises:
            ReceiverAwayError: it cannot be reached, or would not let us in.
        """

    def close(self) -> None:
        """Leave the receiver in its safe state, within a few seconds. Raises nothing."""


@runtime_checkable
class Counting(Protocol):
    """A driver that has figures of its own, which `linewatch outputs list` shows."""

    def figures(self) -> Mapping[str, int]:
        """Counts since it was made; safe to ask from any thread."""

"""What the committer is given: a row, and who waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from db.inspections.records import InspectionRecord, Outcome
from workers.pipeline.reply import Reply

_TOLD = ("id", "product", "line", "camera", "part", "lot", "image_uri", "verdict", "reason")


class Committable(Protocol):
    """A judged or rejected `InspectionRequest`, or a `CommitRequest`."""

    row: InspectionRecord

    @property
    def producer(self) -> str | None:
        """Who is sent a receipt; None: nobody."""

    def message(self) -> dict[str, object]:
        """What a dead letter keeps of it, as JSON."""

    def settle(self, outcome: Outcome) -> None:
        """It is committed."""

    def fail(self, error: BaseException) -> None:
        """It is not, and its message must go back to the queue."""


@dataclass(slots=True, eq=False)
class CommitRequest:
    """A row that needs no inspection: its picture's fields were refused, or it is a dead letter."""

    row: InspectionRecord
    producer: str | None
    reply: Reply

    def message(self) -> dict[str, object]:
        """What the row says: what asked for it cannot be read."""
        said = {name: getattr(self.row, name) for name in _TOLD}
        return {name: None if value is None else str(value) for name, value in said.items()}

    def settle(self, outcome: Outcome) -> None:
        """Tell who waits for it."""
        self.reply.settle(self.row.id, outcome)

    def fail(self, error: BaseException) -> None:
        """Tell who waits for it."""
        self.reply.fail(self.row.id, error)

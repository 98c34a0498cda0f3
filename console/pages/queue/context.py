"""What the page of the queue shows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from console.page import Context


class QueueRow(Context):
    """A queue in Redis."""

    name: str = Field(description="Its name.")
    depth: int = Field(description="Messages that wait.")
    oldest_at: datetime | None = Field(description="When the oldest was sent; null: not said.")


class WorkerRow(Context):
    """A worker that answered, or that the notifier has seen."""

    name: str = Field(description="As Celery has it.")
    answers: bool = Field(description="Whether it answered just now.")
    inspecting: bool = Field(description="Whether it judges pictures.")
    device: str = Field(description="What it computes on.")
    models: str = Field(description="Product: version, of what it serves.")
    trouble: str = Field(description="Why it takes nothing now; empty: it does.")
    seen_at: datetime | None = Field(description="When the notifier saw it last; null: never.")


class BatchRow(Context):
    """A worker's batches, as its metrics page says."""

    address: str = Field(description="Of its metrics page.")
    mean: float | None = Field(description="Pictures a batch since it started; null: none yet.")
    limit: float | None = Field(description="The most it takes.")
    in_flight: float | None = Field(description="Pictures between file and verdict.")
    memory_mib: float | None = Field(description="Memory of its device that is in use.")
    problem: str = Field(description="Why it could not be read; empty: it could.")


class ReasonRow(Context):
    """Letters of one reason that nobody saw to."""

    reason: str = Field(description="The reason's code.")
    letters: int = Field(description="How many.")


class LetterRow(Context):
    """A dead letter: a message, or one picture of it, that could not be judged."""

    letter: int = Field(description="Its number.")
    received_at: datetime = Field(description="When it came, last.")
    reason: str = Field(description="Why it could not be judged.")
    state: str = Field(description="waiting, awaited (sent again, no verdict yet), addressed.")
    picture: UUID | None = Field(description="The picture; null: the whole message.")
    task: str | None = Field(description="The message's task id.")
    detail: str = Field(description="More words of the reason; the first 300 characters.")
    addressed_by: str | None = Field(description="Who saw to it last.")
    addressed_at: datetime | None = Field(description="When.")
    note: str | None = Field(description="What they did instead of sending it again.")


class Queue(Context):
    """The queue and the workers now, and dead letters as an inbox."""

    at: datetime = Field(description="This moment.")
    redis: bool = Field(description="Whether Redis answers.")
    queues: list[QueueRow] = Field(description="Its queues; empty where it does not answer.")
    held: int | None = Field(description="Messages that workers hold.")
    asked: bool = Field(description="Whether workers were asked already.")
    workers: list[WorkerRow] = Field(description="Workers that answer or were seen.")
    batches: list[BatchRow] = Field(description="Of LINEWATCH_WORKER_METRICS_URLS.")
    last_decided_at: datetime | None = Field(description="When the newest verdict fell, by SQL.")
    flower: str = Field(description="Where Flower is; empty: nobody said.")
    reasons: list[ReasonRow] = Field(description="What waits in the inbox, by reason.")
    letters: list[LetterRow] = Field(description="Dead letters, newest first.")
    state: str = Field(description="Which are listed: waiting, addressed or all.")
    reason: str | None = Field(description="Only those of this reason; null: all.")
    after: int | None = Field(description="Ask for `?after=` this for older ones; null: none.")


class Letter(Context):
    """A dead letter and the message it keeps."""

    row: LetterRow = Field(description="As the inbox lists it.")
    payload: str = Field(description="The message; the first 20,000 characters.")
    cut: int = Field(description="How many characters follow.")
    seen: str = Field(description="How it was seen: an action on another state is refused.")


class StepRow(Context):
    """Something that happened to a message."""

    at: datetime = Field(description="When.")
    what: str = Field(
        description="captured, enqueued, decided, sent again, suspected, dead-lettered, addressed."
    )
    detail: str = Field(description="More words.")
    letter: int | None = Field(description="The dead letter that says more.")


class Trail(Context):
    """What SQL knows of a message."""

    message: str = Field(description="A picture's id, or a task's.")
    picture: UUID | None = Field(description="The picture, where the id is one's.")
    steps: list[StepRow] = Field(description="Oldest first; empty: SQL knows nothing of it yet.")

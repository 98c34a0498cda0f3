"""What the page of lines shows."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from pydantic import Field

from console.page import Context


def _key(*names: str) -> str:
    """An element's id: names may hold anything, an id may not."""
    return "t" + hashlib.sha256("\0".join(names).encode()).hexdigest()[:16]


class TilePicture(Context):
    """One of a camera's last pictures."""

    id: UUID = Field(description="Its id; the picture is at /pictures/ID.")
    part: str | None = Field(description="The part's serial number; null: none was said.")
    product: str | None = Field(description="The product's code.")
    verdict: str = Field(description="pass, defect, review, rejected or dead_letter.")
    defect_class: str | None = Field(description="The model's first choice.")
    decided_at: datetime = Field(description="When its verdict fell.")


class CameraTile(Context):
    """A camera."""

    line: str = Field(description="Code of its line.")
    camera: str = Field(description="Its code.")
    state: str = Field(
        description="sending; silent: nothing for too long within a shift; resting: no shift runs, "
        "or one has just begun; unused: nothing for a week."
    )
    last_at: datetime | None = Field(description="When its last picture's verdict fell.")
    passed: int = Field(description="Pictures of this hour and the one before that passed.")
    defects: int = Field(description="Those with a defect.")
    review: int = Field(description="Those left to a person.")
    unjudged: int = Field(description="Those that could not be judged.")
    worker: str | None = Field(description="The worker that judged the last picture.")
    device: str = Field(description="What that worker computes on; empty: it does not answer.")
    model: str | None = Field(description="The model version that judged the last picture.")
    pictures: list[TilePicture] = Field(description="The last pictures, newest first.")

    @property
    def key(self) -> str:
        """The id of its element."""
        return _key(self.line, self.camera)


class LineRate(Context):
    """A product's parts on a line in the shift that runs."""

    product: str = Field(description="The product's code.")
    parts: int = Field(description="First passes.")
    conforming: int = Field(description="Those found good.")
    nonconforming: int = Field(description="Those found bad.")
    open: int = Field(description="Those that nobody decided yet.")
    rate: float | None = Field(description="Nonconforming by decided parts; null: none is decided.")
    lower: float | None = Field(description="Lower control limit; null: no baseline is frozen.")
    upper: float | None = Field(description="Upper control limit.")
    standing: str = Field(
        description="inside or outside its limits; provisional: open parts may still move it; "
        "no_limits: no baseline is frozen, or no part is decided."
    )


class LineTile(Context):
    """A line."""

    line: str = Field(description="Its code.")
    shift: str = Field(description="The shift that runs; empty: none does.")
    shift_since: datetime | None = Field(description="When it began.")
    rates: list[LineRate] = Field(description="Its parts in that shift, by product.")
    verification: str = Field(
        description="Whether known bad parts were found: verified or missed in this shift, open: a "
        "challenge runs, due: the last was before this shift, never: there was none."
    )
    verified_at: datetime | None = Field(description="When the line's last challenge began.")
    alerts: int = Field(description="Open alerts about this line.")
    silent: int = Field(description="Cameras that are silent.")
    state: str = Field(description="bad: a person is needed now; open: look at it; good: all well.")

    @property
    def key(self) -> str:
        """The id of its element."""
        return _key(self.line)


class Lines(Context):
    """The lines of the plant, as they are at this moment."""

    at: datetime = Field(description="This moment, by the database's clock.")
    queue_depth: int | None = Field(description="Messages that wait; null: Redis does not answer.")
    oldest_at: datetime | None = Field(description="When the oldest of them was sent.")
    workers: int | None = Field(description="Inspect workers that answer; null: not known.")
    troubles: list[str] = Field(description="What could not be looked at, in sentences.")
    lines: list[LineTile] = Field(description="The lines, by code.")
    cameras: list[CameraTile] = Field(description="Their cameras, by line and code; 200 at most.")

    @property
    def frame(self) -> str:
        """Changes when a line or a camera comes or goes."""
        return _key(*(one.key for one in self.lines), *(one.key for one in self.cameras))

    def cameras_of(self, line: str) -> list[CameraTile]:
        """The cameras of a line."""
        return [one for one in self.cameras if one.line == line]

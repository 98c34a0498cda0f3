"""A part that passed under a model, and which of these are asked for. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Passed:
    """Which parts: those of which a picture passed under `version`.

    Attributes:
        fingerprint: of the features that are wanted.
        camera: only its pictures are looked at.
        since: parts made from then on.
        until: parts made before then.
    """

    product: str
    version: str
    fingerprint: str
    camera: str | None = None
    line: str | None = None
    lot: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class PassedPicture:
    """A picture; `vector` (float16, little endian) is None where none is stored."""

    id: UUID
    camera: str
    uri: str | None
    sha256: str | None
    vector: bytes | None
    purged: bool = False


@dataclass(slots=True)
class PassedPart:
    """A part in one pass, or a picture without a serial number: then `serial` is ''."""

    serial: str
    scope: str
    pass_number: int
    line: str
    lot: str
    made_at: datetime
    disposition: str
    decided_by: str
    pictures: list[PassedPicture] = field(default_factory=list)

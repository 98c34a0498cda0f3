"""What a backup says of itself: what it holds, from when, and each file's digest. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from linewatch.errors import BackupError

NAME = "manifest.json"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileDigest(_Part):
    """A file's SHA-256 (hex) and its size."""

    sha256: str
    bytes: int


class DatabaseCopy(_Part):
    """The copy of the database, and what was in it at that moment.

    Args:
        kind: a SQLite file, or an archive of pg_dump's custom format.
        file: its path in the backup.
        revision: of the schema.
        rows: how many each table has.
        audit_head: the audit chain's newest hash.
        timezone: of the plant, in whose hours the roll-ups count.
        server: PostgreSQL's major version.
        tool: pg_dump's major version.
    """

    kind: Literal["sqlite", "postgresql"]
    file: str
    revision: str
    rows: dict[str, int]
    audit_head: str
    timezone: str
    server: int | None = None
    tool: int | None = None


class SpoolCopy(_Part):
    """The copy of a spool: how many pictures wait in it, and how many of them it holds itself."""

    file: str
    producer: str
    pictures: int
    copies: int


class NeededSecret(_Part):
    """A setting that is not in the backup as it is, and where it came from."""

    name: str
    origin: str


class Manifest(_Part):
    """All of a backup. `left_out`: sentences about what could not be copied.

    Paths are relative to the backup's folder. `models` are `product/version`.
    """

    format: Literal[1] = 1
    linewatch: str
    made_at: datetime
    host: str
    database: DatabaseCopy | None = None
    models: tuple[str, ...] = ()
    spools: tuple[SpoolCopy, ...] = ()
    secrets: tuple[NeededSecret, ...] = ()
    left_out: tuple[str, ...] = ()
    files: dict[str, FileDigest]

    @model_validator(mode="after")
    def _names_its_own_files(self) -> Self:
        named = [part.file for part in (self.database, *self.spools) if part is not None]
        if strange := [name for name in named if name not in self.files]:
            raise ValueError(f"it has no digest of {strange[0]!a}")
        return self


def parsed(data: bytes, where: str) -> Manifest:
    """Read a manifest.

    Raises:
        BackupError: it is cut or damaged, or of a later version.
    """
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(map(str, first["loc"]))
        raise BackupError(
            f"{where} is cut, damaged or of a later version ({at + ': ' if at else ''}"
            f"{first['msg']:.200}): the backup cannot be used; take another one"
        ) from None

"""Whether a part goes to people although the model decided it. Pure.

The draw is a keyed hash of the part's name, so that it is the same however often and in whatever
order its pictures come, and nobody without the key can choose names that are never drawn. In
PostgreSQL `linewatch_draw` does the same.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

_BITS = 53  # as many as a float can hold exactly, so that both databases decide alike


class PassName(NamedTuple):
    """A part in one pass. A picture without a serial number is '' and, as its scope, its id."""

    product: str
    serial: str
    scope: str
    pass_number: int


@dataclass(frozen=True, slots=True)
class Draw:
    """What the keyed hash gave.

    Attributes:
        id: names the part to people; says nothing of it.
        value: uniform in 0 <= value < 1.
    """

    id: UUID
    value: float

    def drawn(self, share: float) -> bool:
        """Whether it is among that share of the parts; all are where the share is 1."""
        return self.value < share


def draw(seed: bytes, part: PassName) -> Draw:
    """HMAC-SHA-256 (RFC 2104) of the part's name, its fields as netstrings.

    The first 8 bytes, as a number of 2^64, are the value; the next 16 the id.

    Args:
        seed: the product's secret, of at most 64 bytes.
        part: in the words in which the database has it.
    """
    fields = [str(field).encode() for field in part]
    name = b"".join(b"%d:%b," % (len(field), field) for field in fields)
    digest = hmac.new(seed, name, sha256).digest()
    number = int.from_bytes(digest[:8], "big") >> (64 - _BITS)
    return Draw(UUID(bytes=digest[8:24]), number / 2**_BITS)

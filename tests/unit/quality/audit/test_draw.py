"""The draw of an audit sample is HMAC-SHA-256 of a part's name."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

import pytest

from quality.audit.draw import Draw, PassName, draw

SEED = b"\x0b" * 20
NAME = b"5:cable,6:S-\xc3\xbc-1,0:,2:12,"


def by_hand() -> bytes:
    """RFC 2104, written out."""
    key = SEED.ljust(64, b"\0")
    inner = sha256(bytes(b ^ 0x36 for b in key) + NAME).digest()
    return sha256(bytes(b ^ 0x5C for b in key) + inner).digest()


def test_it_is_the_hmac_of_the_name() -> None:
    found, digest = draw(SEED, PassName("cable", "S-ü-1", "", 12)), by_hand()
    assert found.value == pytest.approx(int(digest[:8].hex(), 16) / 2**64, abs=2**-52)
    assert found.id == UUID(bytes=digest[8:24])


def test_names_that_read_alike_are_drawn_apart() -> None:
    names = [
        *(PassName("a", "b", "", 1), PassName("a", "", "b", 1), PassName("ab", "", "", 1)),
        *(PassName("a", "b", "", 11), PassName("a", "b,1", "", 1), PassName("", "ab", "", 1)),
    ]
    assert len({draw(SEED, name).id for name in names}) == len(names)


def test_a_share_of_one_draws_all_and_of_none_none() -> None:
    most = Draw(UUID(int=0), (2**53 - 1) / 2**53)
    assert most.drawn(1.0)
    assert not most.drawn(0.999999)
    assert not Draw(UUID(int=0), 0.0).drawn(0.0)


def test_draws_are_uniform() -> None:
    values = [draw(SEED, PassName("p", str(n), "", 1)).value for n in range(4000)]
    for share in (0.05, 0.5, 0.9):
        assert sum(value < share for value in values) / 4000 == pytest.approx(share, abs=0.025)

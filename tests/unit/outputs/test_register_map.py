"""The registers a PLC reads: numbers, halves, letters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outputs.register_map import encode, needed, room
from outputs.signals import Signals


def words(signals: Signals, *, acknowledge: bool = False, characters: int = 6) -> list[int]:
    """The map with the high word first and no spare register."""
    size = needed(characters)
    return encode(signals, acknowledge, registers=size, part_characters=characters, order="big")


def test_all_low_is_zero_but_for_the_version() -> None:
    assert words(Signals()) == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("name", "bit"),
    [
        ("healthy", 1),
        ("trigger_ready", 2),
        ("results_ready", 4),
        ("ok", 8),
        ("ng", 16),
        ("overrun", 32),
    ],
)
def test_each_bit_has_its_place(name: str, bit: int) -> None:
    assert words(Signals(**{name: True}))[0] == bit


def test_a_long_part_is_told_by_its_end_and_a_short_one_padded() -> None:
    assert words(Signals(part="2026-0001"))[8:] == [0x362D, 0x3030, 0x3031]  # "6-0001"
    assert words(Signals(part="A"))[8:] == [0x4100, 0, 0]
    assert words(Signals(part="Größe"), characters=5)[8:] == [0x4772, 0x3F3F, 0x6500]


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_both_orders_hold_the_same_number(sequence: int, acknowledge: bool) -> None:
    signals = Signals(sequence=sequence)
    big = encode(signals, acknowledge, registers=20, part_characters=4, order="big")
    little = encode(signals, acknowledge, registers=20, part_characters=4, order="little")
    assert big[2] << 16 | big[3] == sequence == little[3] << 16 | little[2]
    assert big[6] == acknowledge
    assert len(big) == 20
    assert all(0 <= word < 2**16 for word in big)


def test_room() -> None:
    assert room(0, 24, 32) is None
    assert room(65512, 24, 32) is None
    assert "needs 24 registers, 23 are set aside" in str(room(0, 23, 32))
    assert "lower `first_register` to 65512" in str(room(65513, 24, 32))

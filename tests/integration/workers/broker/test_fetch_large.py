"""Messages so large that reading them would hold Redis up."""

from __future__ import annotations

import pytest

from db.inspections import dead_letters
from db.session import default_engine
from linewatch.settings import get_settings
from tests.acceptance.faults.corpus_messages import entry
from tests.support.fetching import Hand, entries
from workers.broker.fetch import ENOUGH

# Parts of a JSON string or list that make much work of few bytes.
UNITS = {"letters": b"A", "escapes": b"\\n", "numbers": b",1", "objects": b",{}", "lists": b",[]"}


def _laborious(unit: bytes, size: int, number: int) -> bytes:
    opened, closed = (b"[0", b"]") if unit.startswith(b",") else (b'"', b'"')
    head = b'{"properties": {"delivery_tag": "%d"}, "body": ' % number
    return head + opened + unit * (size // len(unit)) + closed + b"}"


@pytest.mark.parametrize("size", [3_800_000, 1_400_000, 60_000], ids=lambda size: f"{size} bytes")
@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS.keys())
def test_large_entries_hold_redis_for_a_moment_only(hand: Hand, unit: bytes, size: int) -> None:
    hand.channel._hand_over = lambda taken: None
    hand.turns(2)  # the first tells Redis the script
    count = 64 if size < 1_000_000 else 32
    for number in range(count):
        hand.redis.lpush("inspect", _laborious(unit, size, number))
    spent_s = []
    for turn in range(1, 7):
        before = _processor_time_s(hand)
        hand.turn()
        spent_s.append(_processor_time_s(hand) - before)
        assert len(hand.held()) * size < (ENOUGH + size + 100) * turn
    assert max(spent_s) < 0.2  # of a slow machine


def _processor_time_s(hand: Hand) -> float:
    """What Redis has computed so far, however busy the machine is with much else."""
    used = hand.redis.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def test_equal_entries_that_nobody_reads_are_all_noted(hand: Hand) -> None:
    hand.channel._hand_over = lambda taken: None
    hand.turns(2)
    for _ in range(5):
        hand.redis.lpush("inspect", b"x" * 2_000_000)
    for _ in range(6):
        hand.turn()
    assert hand.redis.llen("inspect") == 0
    assert len(hand.held()) == 5


def test_what_is_larger_than_a_message_may_be_is_taken_unread(hand: Hand) -> None:
    most = get_settings().max_message_bytes
    (largest,) = entries(1, body_encoding="base64")
    room = most - len(largest)
    fits = entry(b"x" * room, "1", properties={"delivery_tag": "fits"})
    too_large = entry(b"x" * (most + 200_000), "2", properties={"delivery_tag": "too-large"})
    hand.redis.lpush("inspect", fits, too_large)
    hand.channel._hand_over = lambda taken: None
    hand.turns(8)
    assert "fits" in hand.held()
    assert "too-large" not in hand.held()
    assert len([tag for tag in hand.held() if tag.startswith("unreadable-")]) == 1


@pytest.mark.usefixtures("_database")
def test_large_and_small_messages_are_taken_in_their_order_and_none_is_lost(hand: Hand) -> None:
    padded = [entry(b"[[], {}, {}]" + b" " * (400_000 if n % 3 else 0), str(n)) for n in range(24)]
    padded[5] = entry(b"[[], {}, {}]" + b" " * 1_700_000, "5")
    hand.redis.lpush("inspect", *padded)
    hand.turns(60)
    assert [m.headers["id"] for m in hand.taken] == [str(n) for n in range(24) if n != 5]
    assert len(hand.held()) == 23
    (letter,) = dead_letters.newest(default_engine())
    assert "LINEWATCH_MAX_MESSAGE_BYTES" in letter.detail

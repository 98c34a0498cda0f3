"""When a supervisor ends a worker, and when it must not: with a clock that the test moves."""

from __future__ import annotations

import pytest

from workers.broker.deliveries import Load
from workers.health.pulse import Beat, Limits, Pulse

LIMITS = Limits(start_s=600, silent_s=60, stall_s=90)
IDLE = Beat(Load())


def complaints(pulse: Pulse, beats: dict[int, Beat], until: int) -> list[str]:
    """Every second one is heard: the last in `beats`; what is complained of until then."""
    found, beat = [], None
    for now in range(until):
        beat = beats.get(now, beat)
        if beat is not None:
            pulse.heard(beat, now)
        complaint = pulse.complaint(now)
        if complaint is not None:
            found.append(complaint)
    return found


def test_starting_may_take_long_but_not_for_ever() -> None:
    pulse = Pulse(LIMITS, 1000)
    assert pulse.complaint(1599) is None
    assert pulse.complaint(1600) == "has not started within 600 s"


def test_a_worker_that_falls_silent_is_ended() -> None:
    pulse = Pulse(LIMITS, 0)
    pulse.heard(IDLE, 10)
    assert pulse.complaint(69) is None
    assert "silent for 60 s" in (pulse.complaint(70) or "")


def test_one_that_somebody_stopped_is_not() -> None:
    pulse = Pulse(LIMITS, 0)
    pulse.heard(IDLE, 10)
    for now in range(11, 5000):
        pulse.excuse(now)
        assert pulse.complaint(now) is None
    assert pulse.complaint(5030) is None  # it was continued, and will beat soon
    assert pulse.complaint(5060) is not None


def test_holding_messages_without_work_is_noticed() -> None:
    found = complaints(Pulse(LIMITS, 0), {0: Beat(Load(without_work=32))}, 91)
    assert found == ["has held 32 messages without work for 90 s"]


WELL = {
    "idle": IDLE,
    "a long batch, every place taken": Beat(Load(running=32, begun=32)),
    "a share that hangs": Beat(Load(running=32, begun=32), holding=True),
    "a database away, one message stuck": Beat(Load(1, running=31, begun=31), holding=True),
    "parks what it cannot judge": Beat(Load(begun=5, ended=5)),
}


@pytest.mark.parametrize("beat", WELL.values(), ids=WELL.keys())
def test_a_worker_that_others_could_not_replace_is_left_alone(beat: Beat) -> None:
    assert complaints(Pulse(LIMITS, 0), {0: beat}, 5000) == []


def test_between_two_beats_nothing_is_known_to_stall() -> None:
    pulse = Pulse(Limits(start_s=600, silent_s=60, stall_s=5), 0)
    pulse.heard(IDLE, 10)
    assert pulse.complaint(20) is None


def test_one_that_works_on_beside_a_stuck_message_is_left_alone() -> None:
    beats = {now: Beat(Load(without_work=1, begun=now, ended=now)) for now in range(0, 1000, 80)}
    assert complaints(Pulse(LIMITS, 0), beats, 1000) == []


def test_a_beat_goes_through_a_pipe() -> None:
    beat = Beat(Load(1, 2, 3, 4), holding=True)
    assert Beat.parse(beat.line()) == beat


@pytest.mark.parametrize("line", [b"", b"[]", b"3", b"{}", b'{"holding": 1, "x": 2}', b"\xff"])
def test_anything_else_is_no_beat(line: bytes) -> None:
    with pytest.raises(ValueError, match="no heartbeat"):
        Beat.parse(line)

"""What a PLC reads of a result, and what goes on whatever is shown: the heartbeat, the counts."""

from __future__ import annotations

import pytest

from outputs.handshake import MAX_BEAT_S, Handshake, Phase
from outputs.signals import ErrorCode, Shown, Signals
from tests.unit.outputs.test_handshake import TIMEOUT_S, result, started


def test_every_word_of_a_result_is_shown_at_once() -> None:
    machine = started()
    assert machine.offer(Shown(41, "S-9", False, 5, ErrorCode.REVISED), 0.0)
    assert machine.signals == Signals(
        healthy=True,
        results_ready=True,
        ng=True,
        sequence=41,
        class_code=5,
        error=ErrorCode.REVISED,
        part="S-9",
    )


def test_the_heartbeat_counts_on_whatever_happens_to_results() -> None:
    machine = started()
    beats = 0

    def beaten() -> int:
        nonlocal beats
        beats += 1
        machine.beat(float(beats))
        return machine.signals.heartbeat

    assert beaten() == 1  # the first one at once
    machine.offer(result(), 0.0)
    machine.acknowledge(True)
    assert beaten() == 2
    machine.acknowledge(False)
    machine.offer(result(8), 0.0)
    assert machine.expire(TIMEOUT_S)
    assert beaten() == 3
    machine.stop()
    machine.start()
    assert beaten() == 4


def test_results_are_counted() -> None:
    machine = started()
    for number in (1, 2):
        machine.offer(result(number), 0.0)
        machine.acknowledge(True)
        machine.acknowledge(False)
    for number in (3, 4):
        machine.offer(result(number), 10.0)
        assert not machine.expire(10.0)
        assert machine.expire(10.0 + TIMEOUT_S)
    assert (machine.acknowledged, machine.withdrawn, machine.delivered) == (2, 2, 2)


def test_before_the_start_it_is_stopped_and_an_acknowledge_is_remembered() -> None:
    machine = Handshake(acknowledge_timeout_s=TIMEOUT_S)
    assert machine.phase is Phase.STOPPED
    machine.acknowledge(True)
    machine.start()
    assert machine.phase is Phase.RELEASING, "it is held from before"
    assert not machine.offer(result(), 0.0)
    machine.acknowledge(False)
    assert machine.offer(result(), 0.0)
    machine.acknowledge(False)  # it stays low: nothing is delivered
    assert (machine.phase, machine.acknowledged) == (Phase.SHOWN, 0)


@pytest.mark.parametrize(("timeout_s", "beat_s"), [(0.001, MAX_BEAT_S), (0.5, 0.001)])
def test_the_ends_of_what_may_be_set(timeout_s: float, beat_s: float) -> None:
    Handshake(acknowledge_timeout_s=timeout_s, beat_s=beat_s)
    with pytest.raises(ValueError, match="heart"):
        Handshake(acknowledge_timeout_s=timeout_s, beat_s=0.0)
    with pytest.raises(ValueError, match="acknowledge"):
        Handshake(acknowledge_timeout_s=0.0, beat_s=beat_s)

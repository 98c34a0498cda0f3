"""The handshake with a PLC: what stands when, whatever the PLC and the clock do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outputs.handshake import Handshake, Phase
from outputs.signals import ErrorCode, Shown, Signals

TIMEOUT_S = 2.0
LOW = Signals()


def result(sequence: int = 7, *, ok: bool = False, error: int = 0) -> Shown:
    """A result; NG with class 3 where it is not OK."""
    return Shown(sequence, f"S-{sequence}", ok, 0 if ok else 3, error)


def started() -> Handshake:
    """A handshake that waits for a result."""
    machine = Handshake(acknowledge_timeout_s=TIMEOUT_S)
    machine.start()
    return machine


def without_beat(signals: Signals) -> Signals:
    """The same, but for the heartbeat's count."""
    return replace(signals, heartbeat=0)


def test_a_result_goes_through_its_four_phases() -> None:
    """Ready, shown, acknowledged, released: each with exactly its signals."""
    machine = started()
    ready = Signals(healthy=True, trigger_ready=True)
    assert machine.signals == ready
    assert machine.offer(result(7, ok=True), 0.0)
    assert machine.signals == Signals(
        healthy=True, results_ready=True, ok=True, sequence=7, part="S-7"
    )
    machine.acknowledge(True)
    assert machine.signals == Signals(healthy=True)  # all of the result fell; not ready yet
    assert machine.delivered == 7
    machine.acknowledge(False)
    assert machine.signals == ready


def test_before_the_start_and_after_the_stop_all_is_low() -> None:
    """A PLC that reads a stopped server finds no result, not even the one that was shown."""
    machine = Handshake(acknowledge_timeout_s=TIMEOUT_S)
    assert machine.signals == LOW
    assert not machine.offer(result(), 0.0)
    machine.start()
    assert machine.offer(result(ok=True), 0.0)
    machine.stop()
    assert without_beat(machine.signals) == LOW
    assert machine.phase is Phase.STOPPED
    machine.start()
    assert not machine.signals.results_ready


def test_an_unread_result_raises_overrun_and_is_repeated_under_its_number() -> None:
    """Withdrawn after its time, shown again, and Overrun stands until it is read."""
    machine = started()
    machine.offer(result(7), 0.0)
    assert not machine.expire(TIMEOUT_S - 0.01)
    assert machine.expire(TIMEOUT_S)
    signals = machine.signals
    assert (signals.overrun, signals.ng, signals.results_ready) == (True, False, False)
    assert signals.error == ErrorCode.NOT_ACKNOWLEDGED
    assert machine.offer(result(7), 3.0)
    assert machine.signals.overrun
    assert machine.signals.sequence == 7
    machine.acknowledge(True)
    assert not machine.signals.overrun
    assert (machine.withdrawn, machine.acknowledged) == (1, 1)


def test_a_second_result_waits_and_says_overrun() -> None:
    """One is outstanding: the next is refused, and the first stands as it was."""
    machine = started()
    machine.offer(result(7), 0.0)
    assert not machine.offer(result(8), 0.1)
    assert machine.signals.overrun
    assert machine.signals.sequence == 7


def test_a_held_acknowledge_reads_nothing() -> None:
    """A PLC that never lowers it would confirm results that it has not seen."""
    machine = started()
    machine.acknowledge(True)
    machine.start()
    assert not machine.signals.trigger_ready
    assert not machine.offer(result(), 0.0)
    machine.stuck()
    assert machine.signals.error == ErrorCode.ACKNOWLEDGE_STUCK
    machine.acknowledge(False)
    assert machine.signals == Signals(healthy=True, trigger_ready=True)
    assert machine.offer(result(), 0.0)


def test_an_acknowledgement_that_comes_too_late_does_not_read_the_next() -> None:
    """It rises after the withdrawal: the repeat waits until it has fallen."""
    machine = started()
    machine.offer(result(7), 0.0)
    machine.expire(TIMEOUT_S)
    machine.acknowledge(True)
    assert machine.delivered == 0
    assert not machine.offer(result(7), 2.5)
    machine.acknowledge(False)
    assert machine.offer(result(7), 2.6)
    assert machine.signals.results_ready
    machine.acknowledge(True)
    assert machine.delivered == 7


def test_the_heart_beats_at_least_every_half_second_and_starts_over() -> None:
    """A count of 16 bits; a beat that is slower than the promise is refused."""
    machine = started()
    assert machine.signals.heartbeat == 0
    for i in range(2**16 + 1):
        machine.beat(i * 0.25)
    assert machine.signals.heartbeat == 1
    machine.beat(2**16 * 0.25 + 0.1)
    assert machine.signals.heartbeat == 1
    with pytest.raises(ValueError, match=r"at least every 0\.5 s"):
        Handshake(acknowledge_timeout_s=TIMEOUT_S, beat_s=0.6)
    with pytest.raises(ValueError, match="above 0 s"):
        Handshake(acknowledge_timeout_s=0)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"sequence": 0}, "sequence 0"),
        ({"sequence": 2**32}, "sequence 4294967296"),
        ({"class_code": 2**16}, "class code 65536"),
        ({"ok": True}, "neither an error nor a class"),
        ({"ok": True, "class_code": 0, "error": ErrorCode.REVIEW}, "neither an error"),
    ],
)
def test_what_would_mislead_a_gate_is_refused(fields: dict[str, int], said: str) -> None:
    """Above all: OK beside an error."""
    with pytest.raises(ValueError, match=said):
        replace(result(), **fields)


steps = st.one_of(
    st.tuples(st.just("offer"), st.booleans()),
    st.tuples(st.just("acknowledge"), st.booleans()),
    st.tuples(st.just("wait"), st.sampled_from([0.1, 0.5, TIMEOUT_S])),
    st.sampled_from([("start", None), ("stop", None), ("stuck", None)]),
)


def holds(machine: Handshake) -> None:
    """What is true of the signals at each moment."""
    signals = machine.signals
    assert signals.ok + signals.ng == signals.results_ready
    assert not (signals.trigger_ready and signals.results_ready)
    assert signals.results_ready == (machine.phase is Phase.SHOWN)
    assert signals.trigger_ready == (machine.phase is Phase.READY)
    if not signals.results_ready:
        assert (signals.sequence, signals.part, signals.class_code) == (0, "", 0)
        assert signals.error in (0, *(code for code in ErrorCode if code >= 100))
    if machine.phase is Phase.STOPPED:
        assert without_beat(signals) == LOW


@given(st.lists(steps, max_size=40))
@settings(max_examples=300, deadline=None)
def test_whatever_happens_the_signals_are_consistent(course: list[tuple[str, object]]) -> None:
    """And each result that is shown ends acknowledged, withdrawn with Overrun, or by a stop."""
    machine, now, sequence = started(), 0.0, 0
    for name, value in course:
        before, level = machine.signals, machine.delivered
        if name == "offer":
            sequence += 1
            shown = machine.offer(result(sequence, ok=bool(value)), now)
            assert shown == (machine.signals.sequence == sequence)
        elif name == "acknowledge":
            machine.acknowledge(bool(value))
        elif name == "wait":
            now += float(str(value))
            machine.beat(now)
            withdrawn = machine.expire(now)
            assert withdrawn == (before.results_ready and not machine.signals.results_ready)
            assert not withdrawn or machine.signals.overrun
        else:
            getattr(machine, name)()
        holds(machine)
        if machine.delivered != level:
            assert name == "acknowledge"
            assert machine.delivered == before.sequence
        if before.results_ready and machine.signals.results_ready:
            kept = replace(machine.signals, heartbeat=before.heartbeat, overrun=before.overrun)
            assert kept == before

"""What `train` and `models promote` say of the gate's decision."""

from __future__ import annotations

import pytest

from linewatch.commands._gate_words import gate_lines, promoted_by
from model_store.gate.gate import Decision, GateOutcome


def decision(outcome: GateOutcome) -> Decision:
    return Decision(outcome, ("bent_wire is found less often", "there is no golden set"), {})


def test_the_outcome_is_said_once_and_each_reason_has_a_line() -> None:
    assert list(gate_lines(decision(GateOutcome.FAILED), "the gate would say")) == [
        "the gate would say failed:",
        "  bent_wire is found less often",
        "  there is no golden set",
    ]


@pytest.mark.parametrize(
    ("outcome", "flags"),
    [
        (GateOutcome.PASSED, ""),
        (GateOutcome.FIRST, ""),
        (GateOutcome.UNDECIDED, " --why REASON"),
        (GateOutcome.FAILED, " --force --why REASON"),
    ],
)
def test_the_command_that_is_named_is_one_that_the_gate_lets_through(
    outcome: GateOutcome, flags: str
) -> None:
    assert promoted_by(decision(outcome), "v") == f"linewatch models promote v{flags}"
    assert promoted_by(None, "v") == "linewatch models promote v"

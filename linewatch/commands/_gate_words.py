"""What the gate says, for a terminal: its outcome, then each reason on a line of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model_store.gate.gate import Decision


def gate_lines(decision: Decision, says: str = "the gate says") -> Iterator[str]:
    """`the gate says failed:` and its reasons, indented."""
    yield f"{says} {decision.outcome}:"
    yield from (f"  {reason}" for reason in decision.reasons)


def promoted_by(decision: Decision | None, version: str) -> str:
    """The command that lets a version serve after this decision; None: nothing asked the gate."""
    from model_store.gate.gate import GateOutcome

    flags = {GateOutcome.UNDECIDED: " --why REASON", GateOutcome.FAILED: " --force --why REASON"}
    extra = "" if decision is None else flags.get(decision.outcome, "")
    return f"linewatch models promote {version}{extra}"

"""A result as a PLC is told it: bits and numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from outputs.result import Result, Word
from outputs.signals import NO_CLASS, SEQUENCE_MODULUS, UNLISTED_CLASS, ErrorCode, Shown

_WHY = {
    "review": ErrorCode.REVIEW,
    "rejected": ErrorCode.REJECTED,
    "incomplete": ErrorCode.INCOMPLETE,
}


def shown(result: Result, class_codes: Mapping[str, int]) -> Shown:
    """What the PLC is told of a result; whatever does not pass is NG.

    Args:
        result: of one part or picture.
        class_codes: the number of each defect class, 1 to 65534, by the plant's own list.
    """
    return Shown(
        sequence=short_sequence(result.sequence),
        part=result.part or str(result.picture or result.id),
        ok=result.passes and not _error(result),
        class_code=_class_code(result, class_codes),
        error=_error(result),
    )


def is_of_use(result: Result, *, late: bool, decisions: bool) -> bool:
    """Whether a PLC wants to be told a result that comes after its gate has acted.

    One result is shown at a time: a backlog of such would make those late that follow.

    Args:
        result: of one part or picture.
        late: it wants what is late.
        decisions: it wants what people decided.
    """
    return (late or not result.late) and (decisions or result.decided_by != "person")


def short_sequence(sequence: int) -> int:
    """A sequence number in 32 bits: 1 to 2³² - 1, then from 1 again; 0 is none."""
    return (sequence - 1) % (SEQUENCE_MODULUS - 1) + 1


def _class_code(result: Result, codes: Mapping[str, int]) -> int:
    """The part's class; of several, the lowest number, so that one list can rank them."""
    if not result.classes:
        return NO_CLASS
    return min(codes.get(name, UNLISTED_CLASS) for name in result.classes)


def _error(result: Result) -> ErrorCode:
    if result.no_verdict:
        return ErrorCode.NO_VERDICT
    if result.late:
        return ErrorCode.LATE
    if result.revision > 1 or result.decided_by == "person":
        return ErrorCode.REVISED
    if result.word is Word.OPEN:
        return _WHY.get(result.why, ErrorCode.OPEN)
    return ErrorCode.NONE

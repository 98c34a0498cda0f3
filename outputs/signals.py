"""What a PLC is told of one part, and which signals stand at its side."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

SEQUENCE_MODULUS = 2**32  # a sequence number fills two registers of a PLC
NO_SEQUENCE = 0
NO_CLASS = 0
UNLISTED_CLASS = 2**16 - 1  # a class that has no number in the plant's list


class ErrorCode(IntEnum):
    """Why a result is not OK (0 to 99), or why none comes (100 and above)."""

    NONE = 0
    NO_VERDICT = 1  # the deadline passed without a verdict
    REVIEW = 2  # the model is unsure: a person decides
    REJECTED = 3  # the picture could not be judged
    INCOMPLETE = 4  # a view of the part is missing
    LATE = 5  # a verdict after its deadline, or after NO_VERDICT was told
    REVISED = 6  # the part was told before, and is something else now
    OPEN = 9  # undecided for another reason
    NOT_ACKNOWLEDGED = 100  # the result shown last was withdrawn unread
    ACKNOWLEDGE_STUCK = 101  # Acknowledge is high though nothing is shown: no result can be shown


@dataclass(frozen=True)
class Shown:
    """What the PLC is told of one part.

    Attributes:
        sequence: 1 to 2³² - 1; a repeat of a result carries the number it had.
        part: serial, or the picture's id where a part has no serial.
        ok: conforming; anything else is NG.
        class_code: the defect class by the plant's own list; 0 is none.
        error: an `ErrorCode` below 100.
    """

    sequence: int
    part: str
    ok: bool
    class_code: int = 0
    error: int = ErrorCode.NONE

    def __post_init__(self) -> None:
        """Refuse what would mislead a gate.

        Raises:
            ValueError: a number is out of range, or a result is OK with an error or a class.
        """
        if not NO_SEQUENCE < self.sequence < SEQUENCE_MODULUS:
            raise ValueError(f"sequence {self.sequence} is not within 1 to {SEQUENCE_MODULUS - 1}")
        if not 0 <= self.class_code < 2**16:
            raise ValueError(f"class code {self.class_code} is not within 0 to 65535")
        if self.ok and (self.error or self.class_code):
            raise ValueError("a result that is OK has neither an error nor a class")


@dataclass(frozen=True)
class Signals:
    """What stands at the PLC's side, in one consistent picture. The default is: all low."""

    heartbeat: int = 0  # 0 to 65535, counts up and starts over
    healthy: bool = False
    trigger_ready: bool = False
    results_ready: bool = False
    ok: bool = False
    ng: bool = False
    overrun: bool = False
    sequence: int = NO_SEQUENCE
    class_code: int = 0
    error: int = ErrorCode.NONE
    part: str = ""

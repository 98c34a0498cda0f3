"""The words for how a picture ends, and for what it was taken."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class _Growing(StrEnum):
    """Words to which later versions add: one that is not known here is kept as it is.

    A receipt that cannot be read clears nothing, and its picture would be sent for ever; a row of a
    newer worker that cannot be read would send its message round in the queue.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_, word._value_ = value, value
        return word


class Verdict(_Growing):
    """How a picture ended. The first three are judged; every accepted picture has exactly one."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    DEFECT = "defect"
    REVIEW = "review"
    REJECTED = "rejected"
    DEAD_LETTER = "dead_letter"

    @property
    def judged(self) -> bool:
        """Whether a model, or the lack of one, decided this (and not the picture's file)."""
        return self in (Verdict.PASS, Verdict.DEFECT, Verdict.REVIEW)


class Reason(_Growing):
    """Why a picture was not judged, or why a person should look."""

    # rejected: the file
    MISSING = "missing"
    EMPTY = "empty"
    NOT_A_FILE = "not_a_file"
    UNREADABLE = "unreadable"
    OUTSIDE_ROOT = "outside_root"
    TOO_LARGE = "too_large"
    NOT_AN_IMAGE = "not_an_image"
    CORRUPT = "corrupt"
    WRONG_SIZE = "wrong_size"
    HASH_MISMATCH = "hash_mismatch"
    CHANGED = "changed"
    # rejected: the message
    INVALID_FIELDS = "invalid_fields"
    UNKNOWN_PRODUCT = "unknown_product"
    # dead_letter
    UNREADABLE_MESSAGE = "unreadable_message"
    UNSUPPORTED_VERSION = "unsupported_version"
    BAD_SIGNATURE = "bad_signature"
    POISON = "poison"
    # review
    NO_MODEL = "no_model"
    UNCERTAIN = "uncertain"
    NOVEL = "novel"
    NOT_FINITE = "not_finite"
    UNKNOWN_FIELDS = "unknown_fields"
    DAMAGED = "damaged"  # its pixels came, but the file is not as it was written


# Those of 0.1.0, to which none is added: its cameras cannot read a receipt with any other reason,
# and would send the picture for ever.
FIRST_REASONS = frozenset(
    {
        *(Reason.MISSING, Reason.EMPTY, Reason.NOT_A_FILE, Reason.UNREADABLE, Reason.OUTSIDE_ROOT),
        *(Reason.TOO_LARGE, Reason.NOT_AN_IMAGE, Reason.CORRUPT, Reason.WRONG_SIZE),
        *(Reason.HASH_MISMATCH, Reason.INVALID_FIELDS, Reason.UNKNOWN_PRODUCT),
        *(Reason.UNREADABLE_MESSAGE, Reason.UNSUPPORTED_VERSION, Reason.BAD_SIGNATURE),
        *(Reason.POISON, Reason.NO_MODEL, Reason.UNCERTAIN, Reason.NOVEL, Reason.NOT_FINITE),
    }
)
_STAND_INS = {
    Reason.CHANGED: Reason.HASH_MISMATCH,
    Reason.DAMAGED: Reason.CORRUPT,
    Verdict.REJECTED: Reason.UNREADABLE,
    Verdict.DEAD_LETTER: Reason.UNREADABLE_MESSAGE,
}


def stand_in(reason: Reason, verdict: Verdict) -> Reason:
    """The nearest reason that a camera of 0.1.0 can read; `reason` itself where it can."""
    if reason in FIRST_REASONS:
        return reason
    return _STAND_INS.get(reason) or _STAND_INS.get(verdict) or Reason.UNCERTAIN


class Purpose(StrEnum):
    """What a picture was taken for.

    Only people keep parts out of a line's figures, by opening a challenge: a message's word alone
    never does.
    """

    ORDINARY = "ordinary"
    CHALLENGE = "challenge"  # a part known to be bad, sent through to see whether the line sees it
    STUDY = "study"  # a golden part of an agreement study

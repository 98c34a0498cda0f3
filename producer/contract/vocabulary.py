"""The words for how a picture ends."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
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


class Reason(StrEnum):
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

"""A result as bits and numbers: what is not a pass told in time is NG."""

from __future__ import annotations

from typing import Any

import pytest

from outputs.shown import is_of_use, short_sequence, shown
from outputs.signals import UNLISTED_CLASS, ErrorCode
from quality.parts.disposition import Disposition
from tests.support.plc import result

CODES = {"cut": 3, "bent": 2}
NG = {"disposition": Disposition.NONCONFORMING}
OPEN = {"disposition": Disposition.OPEN}


@pytest.mark.parametrize(
    ("fields", "ok", "class_code", "error"),
    [
        ({}, True, 0, ErrorCode.NONE),
        ({"late": True}, False, 0, ErrorCode.LATE),
        ({"no_verdict": True, **OPEN}, False, 0, ErrorCode.NO_VERDICT),
        ({"why": "review", **OPEN}, False, 0, ErrorCode.REVIEW),
        ({"why": "rejected", **OPEN}, False, 0, ErrorCode.REJECTED),
        ({"why": "incomplete", **OPEN}, False, 0, ErrorCode.INCOMPLETE),
        ({"why": "something new", **OPEN}, False, 0, ErrorCode.OPEN),
        ({"classes": ("cut",), **NG}, False, 3, ErrorCode.NONE),
        ({"classes": ("bent", "cut"), **NG}, False, 2, ErrorCode.NONE),
        ({"classes": ("torn",), **NG}, False, UNLISTED_CLASS, ErrorCode.NONE),
        ({"classes": ("torn",), "late": True, **NG}, False, UNLISTED_CLASS, ErrorCode.LATE),
        (NG, False, 0, ErrorCode.NONE),
        ({"revision": 2}, False, 0, ErrorCode.REVISED),
        ({"revision": 2, "late": True}, False, 0, ErrorCode.LATE),
    ],
)
def test_only_a_good_part_in_time_is_ok(
    fields: dict[str, Any], ok: bool, class_code: int, error: ErrorCode
) -> None:
    told = shown(result(7, **fields), CODES)
    assert (told.ok, told.class_code, told.error) == (ok, class_code, error)
    assert (told.sequence, told.part) == (7, "S-7")


def test_a_part_without_a_serial_is_told_by_its_picture() -> None:
    nameless = result(7, part=None, picture=result(8).id)
    assert shown(nameless, {}).part == str(result(8).id)
    assert shown(result(7, part=None), {}).part == str(result(7).id)


def test_sequence_numbers_start_over_without_ever_being_none() -> None:
    assert short_sequence(1) == 1
    assert short_sequence(2**32 - 1) == 2**32 - 1
    assert short_sequence(2**32) == 1
    assert short_sequence(2**53) == (2**53 - 1) % (2**32 - 1) + 1


@pytest.mark.parametrize(
    ("fields", "late", "decisions", "wanted"),
    [
        ({}, False, False, True),
        ({"late": True}, False, False, False),
        ({"late": True}, True, False, True),
        ({"decided_by": "person", "revision": 2}, True, False, False),
        ({"decided_by": "person", "revision": 2}, True, True, True),
        ({"no_verdict": True}, False, False, True),
    ],
)
def test_what_comes_after_the_gate_is_left_out_where_it_is_not_wanted(
    fields: dict[str, Any], late: bool, decisions: bool, wanted: bool
) -> None:
    assert is_of_use(result(7, **fields), late=late, decisions=decisions) is wanted

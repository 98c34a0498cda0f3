"""What one receiver is told of what happened to parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from db.outbox.entries import Entry, PartKey
from db.outbox.facts import PartFact, PictureFact, Told
from outputs.camera_time import CameraTime
from outputs.result import Result, Word
from outputs.shown import shown
from outputs.signals import ErrorCode
from outputs.telling import Facts, Line, tellings

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
KEY = PartKey("cable", "S1", "", 1)
LINE = Line("L1", "plant", timedelta(seconds=2))


def a_picture(**fields: Any) -> PictureFact:
    usual: dict[str, Any] = {
        "id": uuid4(),
        "site": "",
        "product": "cable",
        "serial": "S1",
        "pass_number": None,
        "camera": "C1",
        "verdict": "pass",
        "defect_class": "good",
        "confidence": 0.9,
        "reason": "",
        "model_version": "cable-1",
        "made_at": NOON,
        "by_receipt": False,
    }
    return PictureFact(**{**usual, **fields})


def a_part(**fields: Any) -> PartFact:
    usual: dict[str, Any] = {
        "key": KEY,
        "line": "L1",
        "disposition": "conforming",
        "classes": (),
        "decided_by": "model",
        "why": "",
        "model_version": "cable-1",
        "views": 1,
        "made_at": NOON,
        "last_at": NOON,
        "by_receipt": False,
    }
    return PartFact(**{**usual, **fields})


INCOMPLETE = {"disposition": "open", "why": "incomplete", "decided_by": ""}


def told_of(
    entries: Sequence[Entry],
    pictures: Sequence[PictureFact] = (),
    parts: Sequence[PartFact] = (),
    told: dict[PartKey, Told] | None = None,
    *,
    level: str = "part",
    now: datetime = NOON + timedelta(seconds=1),
    line: Line = LINE,
) -> list[Result]:
    by_serial: dict[tuple[str, str], list[PartFact]] = {}
    for part in parts:
        serial = (part.key.product, part.key.serial) if part.key.serial else ("", part.key.scope)
        by_serial.setdefault(serial, []).append(part)
    facts = Facts({one.id: one for one in pictures}, by_serial, told or {})
    return [one.result for one in tellings(line, level, entries, facts, now)]


def of_picture(picture: PictureFact, sequence: int = 7) -> Entry:
    return Entry(sequence, "pictures", NOON, picture=picture.id)


def of_part(kind: str = "parts", key: PartKey = KEY, sequence: int = 9) -> Entry:
    return Entry(sequence, kind, NOON, part=key)


def test_a_complete_part_is_told_once_for_all_of_its_views() -> None:
    views = [a_picture(), a_picture(camera="C2")]
    found = told_of([of_picture(v, 7 + n) for n, v in enumerate(views)], views, [a_part(views=2)])
    assert [(one.word, one.part, one.sequence, one.revision) for one in found] == [
        (Word.OK, "S1", 7, 1)
    ]
    assert found[0].picture is None  # two say it


def test_an_incomplete_part_is_not_told() -> None:
    picture = a_picture()
    assert told_of([of_picture(picture)], [picture], [a_part(**INCOMPLETE)]) == []


def test_what_becomes_another_is_told_again_as_a_revision() -> None:
    picture = a_picture()
    bad = a_part(disposition="nonconforming", classes=("crack",), decided_by="person")
    before = {KEY: Told(1, "conforming::", overdue=False)}
    (found,) = told_of([of_part()], [picture], [bad], before)
    assert (found.word, found.classes, found.revision) == (Word.NG, ("crack",), 2)
    same = {KEY: Told(2, "nonconforming:crack:", overdue=False)}
    assert told_of([of_part()], [picture], [bad], same) == []


def test_an_overdue_part_is_no_verdict_once_and_then_late() -> None:
    (found,) = told_of([of_part("overdue")], [], [a_part(**INCOMPLETE)])
    assert (found.word, found.passes, found.late) == (Word.NO_VERDICT, False, False)
    before = {KEY: Told(1, "no_verdict", overdue=True)}
    assert told_of([of_part("overdue")], [], [a_part(**INCOMPLETE)], before) == []
    picture = a_picture()
    (late,) = told_of([of_picture(picture)], [picture], [a_part()], before)
    assert (late.word, late.late, late.passes, late.revision) == (Word.OK, True, False, 2)


def test_a_part_that_was_told_is_not_overdue() -> None:
    before = {KEY: Told(1, "conforming::", overdue=False)}
    assert told_of([of_part("overdue")], [], [a_part()], before) == []


def test_after_its_deadline_a_good_part_does_not_pass() -> None:
    picture, part = a_picture(), a_part()
    for seconds, passes in ((1.9, True), (2.1, False)):
        now = NOON + timedelta(seconds=seconds)
        (found,) = told_of([of_picture(picture)], [picture], [part], now=now)
        assert (found.passes, found.late) == (passes, not passes)
        assert found.deadline == NOON + timedelta(seconds=2)


def test_a_part_that_is_open_does_not_pass() -> None:
    picture = a_picture(verdict="review")
    part = a_part(disposition="open", why="review", decided_by="")
    (found,) = told_of([of_picture(picture)], [picture], [part])
    assert (found.word, found.passes) == (Word.OPEN, False)


def test_of_two_passes_the_picture_s_own_is_told() -> None:
    later = NOON + timedelta(hours=2)
    first = a_part(disposition="nonconforming", classes=("crack",))
    second = a_part(key=KEY._replace(pass_number=2), made_at=later, last_at=later)
    for made_at, told in ((NOON, (1, Word.NG)), (later, (2, Word.OK))):
        picture = a_picture(made_at=made_at)
        (found,) = told_of([of_picture(picture)], [picture], [first, second], line=Line("L1"))
        assert (found.pass_number, found.word) == told


def test_a_picture_without_a_serial_or_of_a_challenge_is_a_part_of_its_own() -> None:
    pictures = [a_picture(serial=""), a_picture(serial="KNOWN-BAD", verdict="defect")]
    found = told_of([of_picture(p, n) for n, p in enumerate(pictures, 1)], pictures)
    assert [(one.part, one.word, one.picture) for one in found] == [
        (None, Word.OK, pictures[0].id),
        ("KNOWN-BAD", Word.NG, pictures[1].id),
    ]


def test_a_person_s_word_on_a_picture_without_a_serial_is_its_second_revision() -> None:
    picture = a_picture(serial="", verdict="review")
    key = PartKey("cable", "", str(picture.id), 1)
    part = a_part(key=key, disposition="nonconforming", classes=("crack",), decided_by="person")
    (found,) = told_of([of_part(key=key)], [], [part])
    assert (found.revision, found.word) == (2, Word.NG)


def test_each_picture_is_told_where_the_receiver_wants_pictures() -> None:
    views = [a_picture(), a_picture(camera="C2", verdict="defect", defect_class="crack")]
    entries = [of_picture(v, 7 + n) for n, v in enumerate(views)]
    found = told_of([*entries, of_part("overdue")], views, [a_part(views=2)], level="picture")
    assert [(one.camera, one.word, one.classes) for one in found] == [
        ("C1", Word.OK, ()),
        ("C2", Word.NG, ("crack",)),
    ]


def test_what_comes_again_has_its_id_and_what_changed_another() -> None:
    picture = a_picture()
    once, again = (told_of([of_picture(picture)], [picture], [a_part()])[0] for _ in range(2))
    changed = told_of([of_picture(picture)], [picture], [a_part(disposition="nonconforming")])[0]
    elsewhere = told_of([of_picture(picture, 8)], [picture], [a_part()])[0]
    ids: set[UUID] = {once.id, again.id, changed.id, elsewhere.id}
    assert once.id == again.id
    assert len(ids) == 3


def test_what_was_purged_is_not_told() -> None:
    assert told_of([of_picture(a_picture()), of_part()]) == []


@pytest.mark.parametrize("level", ["part", "picture"])
@pytest.mark.parametrize(
    ("ahead_s", "by_receipt", "late"),
    [(5, False, False), (-4, False, False), (1, False, True), (5, True, True), (5, True, False)],
)
def test_a_deadline_counts_by_the_database_s_clock(
    level: str, ahead_s: float, by_receipt: bool, late: bool
) -> None:
    """It ends 2 s after the part was made, whatever the camera's clock says of that moment."""
    skewed = CameraTime({("L1", "C1"): timedelta(seconds=ahead_s)})
    made_at = NOON if by_receipt else NOON + timedelta(seconds=ahead_s)
    picture = a_picture(by_receipt=by_receipt, made_at=made_at)
    part = a_part(by_receipt=by_receipt, made_at=made_at, last_at=made_at)
    now = NOON + timedelta(seconds=2.5 if late else 1.5)
    entry = Entry(1, "pictures", now, picture=picture.id)
    facts = Facts({picture.id: picture}, {("cable", "S1"): [part]})
    line = Line("L1", "plant", timedelta(seconds=2), skewed)
    (one,) = tellings(line, level, [entry], facts, now)
    assert one.result.late is late
    assert one.result.passes is not late
    assert one.result.deadline == NOON + timedelta(seconds=2)


def test_what_a_person_decides_never_opens_a_gate() -> None:
    """Without a deadline nothing is late: a revision would be `passes` hours after the part."""
    picture, line = a_picture(), Line("L1")
    part = a_part(decided_by="person")
    decided = Entry(2, "parts", NOON, part=KEY)
    facts = Facts({picture.id: picture}, {("cable", "S1"): [part]})
    for told in ({KEY: Told(1, "open::review", overdue=False)}, {}):
        (one,) = tellings(line, "part", [decided], replace(facts, told=told), NOON)
        assert (one.result.word, one.result.passes) == (Word.OK, False)
        assert not shown(one.result, {}).ok
        assert shown(one.result, {}).error == ErrorCode.REVISED


def test_a_revision_by_another_view_does_not_open_it_either() -> None:
    picture = a_picture()
    facts = Facts(
        {picture.id: picture},
        {("cable", "S1"): [a_part()]},
        {KEY: Told(1, "nonconforming:bent:", overdue=False)},
    )
    entry = Entry(2, "pictures", NOON, picture=picture.id)
    (one,) = tellings(Line("L1"), "part", [entry], facts, NOON)
    assert (one.result.word, one.result.revision, one.result.passes) == (Word.OK, 2, False)

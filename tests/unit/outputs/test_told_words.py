"""Every word of what a receiver is told is where the integrator reads it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from db.outbox.entries import Entry, PartKey
from db.outbox.facts import Told
from outputs.camera_time import CameraTime
from outputs.result import Word
from outputs.telling import Facts, Line, tellings
from tests.unit.outputs.test_telling import KEY, NOON, a_part, a_picture, of_part, told_of

WRITTEN = NOON + timedelta(seconds=1)
PICTURE = UUID(int=7)
# No two alike, and none what a field is by default: a word in the wrong place is seen.
SEEN = a_picture(
    id=PICTURE,
    site="north",
    pass_number=3,
    camera="C9",
    verdict="defect",
    defect_class="crack",
    confidence=0.75,
    reason="low_confidence",
    model_version="cable-8",
)
ENTRY = Entry(41, "pictures", WRITTEN, picture=PICTURE)
PART = a_part(
    key=PartKey("cable", "S1", "lot-1", 3),
    disposition="nonconforming",
    classes=("bent", "crack"),
    decided_by="person",
    model_version="cable-9",
)
OF_BOTH = {
    "sequence": 41,
    "line": "L1",
    "site": "plant",
    "product": "cable",
    "part": "S1",
    "pass_number": 3,
    "picture": PICTURE,
    "camera": "C9",
    "views": 1,
    "disposition": "nonconforming",
    "why": "",
    "reason": "low_confidence",
    "confidence": 0.75,
    "revision": 1,
    "no_verdict": False,
    "late": False,
    "captured_at": NOON,
    "committed_at": WRITTEN,
    "deadline": NOON + timedelta(seconds=2),
    "clock_ahead": timedelta(),
}
OF_PART = {**OF_BOTH, "classes": ("bent", "crack"), "decided_by": "person"}
OF_PART["model_version"] = "cable-9"
OF_PICTURE = {**OF_BOTH, "classes": ("crack",), "decided_by": "model"}
OF_PICTURE["model_version"] = "cable-8"


def words(entry: Entry, level: str = "part", parts: Any = (PART,), **more: Any) -> dict[str, Any]:
    (found,) = told_of([entry], [SEEN], parts, level=level, **more)
    return {name: value for name, value in asdict(found).items() if name != "id"}


def test_a_part_of_one_picture() -> None:
    assert words(ENTRY) == OF_PART


def test_a_picture() -> None:
    assert words(ENTRY, "picture") == OF_PICTURE


def test_of_several_pictures_none_speaks_for_the_part() -> None:
    several = a_part(
        key=PART.key,
        disposition="nonconforming",
        classes=("bent", "crack"),
        decided_by="person",
        model_version="cable-9",
        views=2,
    )
    alone = {"views": 2, "picture": None, "camera": None, "reason": "", "confidence": None}
    assert words(ENTRY, parts=(several,)) == {**OF_PART, **alone}


def test_a_part_of_which_no_verdict_came_in_time() -> None:
    # Incomplete with a defect counted in: nothing of it is told yet.
    part = a_part(
        disposition="open", classes=("crack",), decided_by="person", why="incomplete", views=2
    )
    none = {"camera": None, "picture": None, "confidence": None, "reason": ""}
    found = words(of_part("overdue"), parts=(part,))
    assert found == {
        **OF_PART,
        **none,
        "sequence": 9,
        "committed_at": NOON,
        "pass_number": 1,
        "views": 2,
        "disposition": "open",
        "classes": (),
        "decided_by": "",
        "why": "incomplete",
        "no_verdict": True,
        "model_version": "cable-1",
    }


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ("pass", ("conforming", (), "model", "")),
        ("defect", ("nonconforming", ("crack",), "model", "")),
        ("review", ("open", (), "", "review")),
        ("rejected", ("open", (), "", "rejected")),
        ("dead_letter", ("open", (), "", "rejected")),
    ],
)
def test_what_a_picture_s_verdict_is_called(verdict: str, told: tuple[Any, ...]) -> None:
    picture = a_picture(id=PICTURE, verdict=verdict, defect_class="crack")
    (found,) = told_of([ENTRY], [picture], level="picture")
    assert (found.disposition, found.classes, found.decided_by, found.why) == told


def test_a_defect_whose_class_is_unknown() -> None:
    picture = a_picture(id=PICTURE, verdict="defect", defect_class=None)
    (found,) = told_of([ENTRY], [picture], level="picture")
    assert found.classes == ("",)


def test_the_file_s_site_stands_before_the_message_s() -> None:
    for level in ("part", "picture"):
        sites = [words(ENTRY, level, line=Line("L1", site))["site"] for site in ("plant", "")]
        assert sites == ["plant", "north"]
    assert words(of_part("parts", PART.key), line=Line("L1"))["site"] == ""


def test_a_line_without_a_deadline_has_none_and_nothing_is_late() -> None:
    later = NOON + timedelta(days=1)
    for level in ("part", "picture"):
        found = words(ENTRY, level, line=Line("L1"), now=later)
        assert (found["deadline"], found["late"]) == (None, False)
    at_the_deadline = words(ENTRY, now=NOON + timedelta(seconds=2))
    assert not at_the_deadline["late"]


def test_a_camera_s_clock_that_is_ahead_is_taken_off_its_deadline() -> None:
    ahead = timedelta(seconds=0.5)
    known = CameraTime({("L1", "C9"): ahead, ("L1", "C8"): timedelta(seconds=1.5)})
    line = Line("L1", "plant", timedelta(seconds=2), known)
    off = {"clock_ahead": ahead, "deadline": NOON + timedelta(seconds=1.5)}
    for level in ("part", "picture"):
        usual = OF_PART if level == "part" else OF_PICTURE
        assert words(ENTRY, level, line=line) == {**usual, **off}
        assert words(ENTRY, level, line=line, now=NOON + timedelta(seconds=1.6))["late"]
    received = a_picture(id=PICTURE, by_receipt=True)  # the database's own clock said when
    (found,) = told_of([ENTRY], [received], level="picture", line=line)
    assert (found.clock_ahead, found.deadline) == (timedelta(), NOON + timedelta(seconds=2))


def test_what_is_remembered_of_a_part() -> None:
    facts = Facts({PICTURE: SEEN}, {("cable", "S1"): [PART]})
    (one,) = tellings(Line("L1"), "part", [ENTRY], facts, NOON)
    assert (one.key, one.told) == (PART.key, Told(1, "nonconforming:bent+crack:", overdue=False))
    (one,) = tellings(Line("L1"), "picture", [ENTRY], facts, NOON)
    assert (one.key, one.told) == (None, None)
    waiting = a_part(disposition="open", why="incomplete", decided_by="")
    facts = Facts({}, {("cable", "S1"): [waiting]})
    (one,) = tellings(Line("L1"), "part", [of_part("overdue")], facts, NOON)
    assert (one.result.word, one.told) == (Word.NO_VERDICT, Told(1, "no_verdict", overdue=True))
    before = {KEY: one.told}
    facts = Facts({}, {("cable", "S1"): [a_part()]}, before)
    (one,) = tellings(Line("L1"), "part", [of_part()], facts, NOON)
    assert one.told == Told(2, "conforming::", overdue=True)


def test_a_picture_is_of_the_pass_that_was_going_on() -> None:
    """Its time is in it, ends included, and its number is the pass's where it has one."""
    hours = [NOON + timedelta(hours=n) for n in range(4)]
    first = a_part(made_at=hours[0], last_at=hours[1])
    second = a_part(key=KEY._replace(pass_number=2), made_at=hours[2], last_at=hours[3])
    unmade = a_part(key=KEY._replace(pass_number=9), made_at=None, last_at=None)
    parts = [second, first, unmade]

    def pass_of(made_at: Any, pass_number: int | None = None) -> int | None:
        picture = a_picture(id=PICTURE, made_at=made_at, pass_number=pass_number)
        (found,) = told_of([ENTRY], [picture], parts, line=Line("L1"))
        return found.pass_number if found.picture is None or found.views == 1 else None

    assert [pass_of(at) for at in hours] == [1, 1, 2, 2]
    second_too = a_part(key=KEY._replace(pass_number=2), made_at=hours[0], last_at=hours[3])
    parts = [first, second_too]
    assert pass_of(hours[1]) == 2  # the later of two
    assert pass_of(hours[1], 1) == 1


def test_one_result_each_and_those_without_a_word_do_not_end_them() -> None:
    other = a_picture(id=UUID(int=8), serial="S2", product="plug")
    part = a_part(key=PartKey("plug", "S2", "", 1))
    gone = Entry(40, "pictures", WRITTEN, picture=UUID(int=1))
    entries = [gone, ENTRY, Entry(42, "parts", WRITTEN, part=PART.key)]
    entries.append(Entry(43, "pictures", WRITTEN, picture=other.id))
    for level, sequences in (("part", [41, 43]), ("picture", [41, 43])):
        found = told_of(entries, [SEEN, other], [PART, part], level=level)
        assert [one.sequence for one in found] == sequences


def test_ids_differ_by_line_number_part_word_and_revision() -> None:
    bad = a_part(disposition="nonconforming", classes=("crack",))
    told = {KEY: Told(4, "open::review", overdue=False)}
    again = {KEY: Told(5, "open::review", overdue=False)}
    other = KEY._replace(scope="lot-2")
    ids = [
        told_of([of_part()], [], [bad], told),
        told_of([of_part()], [], [bad], told, line=Line("L2")),
        told_of([of_part(sequence=10)], [], [bad], told),
        told_of([of_part()], [], [a_part()], told),
        told_of([of_part()], [], [bad], again),
        told_of([of_part(key=other)], [], [a_part(key=other)], {}),
        told_of([of_part()], [], [a_part()], {}),
    ]
    assert len({one.id for found in ids for one in found}) == len(ids)
    first = told_of([of_part()], [], [bad], told)
    assert [one.id for one in first] == [one.id for one in told_of([of_part()], [], [bad], told)]

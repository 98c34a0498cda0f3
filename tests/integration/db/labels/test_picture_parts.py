"""Pictures of one part are of one part for splits as they are for reports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.labels.picture_parts import Unit, parts_of_pictures
from db.session import reading
from tests.support.part_facts import DAY, PRODUCT, a_plant
from tests.support.records import a_record

# Serial S on two days, in two passes, before two cameras and of two lots; T; two without a serial.
PICTURES: tuple[tuple[int, str | None, str | None, str], ...] = (
    (19, "S", "L-1", "C1"),
    (19, "S", "L-1", "C2"),
    (26, "S", "L-1", "C1"),  # the same night shift, another pass
    (36, "S", "L-2", "C1"),
    (19, "T", "L-1", "C1"),
    (19, None, "L-1", "C1"),
    (19, "", None, "C1"),
)
SERIALS = ("S", "S", "S", "S", "T", "alone", "alone")
NIGHTS = ("S1", "S1", "S1", "S2", "T", "alone", "alone")
LOTS = ("L-1", "L-1", "L-1", "L-2", "L-1", "L-1", "alone")


@pytest.mark.parametrize(
    ("options", "by", "expected"),
    [
        ({}, "part", SERIALS),
        ({"serial_unique_within": "lot"}, "part", NIGHTS),
        ({"serial_unique_within": "day"}, "part", NIGHTS),
        ({}, "lot", LOTS),
        ({"serial_unique_within": "day"}, "lot", LOTS),
    ],
)
def test_the_part_of_a_picture(
    engine: Engine, options: Mapping[str, Any], by: Unit, expected: tuple[str, ...]
) -> None:
    a_plant(engine, **options)
    records = [_record(*picture) for picture in PICTURES]
    commit_inspections(engine, records, UTC)
    with reading(engine) as connection:
        found = parts_of_pictures(connection, PRODUCT, [*(r.id for r in records), UUID(int=7)], by)
    assert found.keys() == {record.id for record in records}
    names = [found[record.id] for record in records]
    alone = [str(record.id) == name for record, name in zip(records, names, strict=True)]
    assert alone == [name == "alone" for name in expected]
    wanted = [f"{name} {row}" if name == "alone" else name for row, name in enumerate(expected)]
    same = [[one == other for other in names] for one in names]
    assert same == [[one == other for other in wanted] for one in wanted]


def _record(hour: int, serial: str | None, lot: str | None, camera: str) -> InspectionRecord:
    return a_record(
        product=PRODUCT,
        part=serial,
        lot=lot,
        camera=camera,
        line="L1",
        captured_at=DAY + timedelta(hours=hour),
        probabilities=None,
        defect_class=None,
        model_version=None,
    )

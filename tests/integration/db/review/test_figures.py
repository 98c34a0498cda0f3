"""What the page says of the last 24 hours is of them, whenever a day or a shift begins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from db.clock import database_now
from db.review.figures import counted_since
from db.session import reading
from producer.contract import Verdict
from tests.support.review import NOW, PRODUCT, a_product, a_view, commit


def test_what_was_made_in_the_last_day_is_counted_whichever_shift_it_is_of(engine: Engine) -> None:
    def ago(hours: float) -> int:
        return int((datetime.now(UTC) - timedelta(hours=hours) - NOW).total_seconds())

    a_product(engine)
    defect = {"verdict": Verdict.DEFECT, "reason": None}
    commit(
        engine,
        [
            a_view("an hour ago", ago(1), **defect),
            a_view("within 24 hours", ago(23), **defect),  # of a shift that began before
            a_view("before that", ago(26), **defect),
            a_view("open", ago(23)),
        ],
    )
    with reading(engine) as connection:
        found = counted_since(connection, PRODUCT, database_now(connection) - timedelta(days=1))
    assert (found.nonconforming, found.conforming, found.open) == (2, 0, 1)
    assert (found.rate, found.by_person) == (1.0, 0)

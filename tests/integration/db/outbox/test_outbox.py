"""What is committed is in the outbox, once, in commit order; and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, event, func, select, text

from db.labels.decisions import NewDecision, add
from db.outbox import cursors, purge
from db.outbox.append import append
from db.outbox.entries import head
from db.session import reading, transaction
from db.tables import Outbox
from producer.contract import Reason, Verdict
from tests.support.interleaving import meanwhile
from tests.support.outbox import committed, entries, now_record, registered
from tests.support.part_facts import a_plant


def rows(engine: Engine) -> int:
    with reading(engine) as connection:
        return int(connection.execute(select(func.count()).select_from(Outbox)).scalar_one())


def test_a_line_without_receivers_has_no_outbox(engine: Engine) -> None:
    registered(engine, "L1")
    committed(engine, now_record(line="L2"))
    assert rows(engine) == 0
    committed(engine, now_record(line="L1"))
    assert rows(engine) == 1


def test_a_commit_is_one_row_a_line_and_a_second_delivery_is_none(engine: Engine) -> None:
    for line in ("L1", "L2"):
        registered(engine, line)
    batch = [now_record(line=line, part=f"P{n}") for n in range(5) for line in ("L1", "L2")]
    committed(engine, *batch)
    committed(engine, *batch)
    assert rows(engine) == 2
    for line in ("L1", "L2"):
        mine = sorted(record.id for record in batch if record.line == line)
        found = entries(engine, line)
        assert [entry.picture for entry in found] == mine
        assert [entry.sequence for entry in found] == [1, 2, 3, 4, 5]


def test_a_dead_letter_that_was_judged_at_last_is_told_again(engine: Engine) -> None:
    from db.inspections import dead_letters, requeues

    registered(engine, "L1")
    dead = now_record(
        verdict=Verdict.DEAD_LETTER, reason=Reason.POISON, model_version=None, probabilities=None
    )
    committed(engine, dead)
    with transaction(engine) as connection:
        letter = dead_letters.add(
            connection, reason="poison", detail="d", payload="{}", image_id=dead.id
        )
        requeues.allow(connection, letter, [dead.id], by="anna")
    committed(engine, now_record(id=dead.id))
    assert [entry.picture for entry in entries(engine, "L1")] == [dead.id, dead.id]


def test_two_committers_interleaved_skip_nothing(engine: Engine) -> None:
    """The one that numbered first ends last: a reader must not pass what is under way."""
    registered(engine, "L1")
    first, second = now_record(part="A"), now_record(part="B")
    read: list[Any] = []

    def look() -> None:
        committed(engine, second)  # waits for the first, which has numbered but not committed
        read.extend(entries(engine, "L1"))

    with transaction(engine) as connection:
        append(connection, "L1", "pictures", [str(first.id)])
        with meanwhile(engine, "-- the end", look, waits=True):
            connection.execute(text("SELECT 1 -- the end"))
            connection.commit()
    assert [entry.picture for entry in read] == [first.id, second.id]
    assert [entry.sequence for entry in read] == [1, 2]


def test_what_is_rolled_back_leaves_no_hole(engine: Engine) -> None:
    registered(engine, "L1")
    with engine.connect() as connection:
        append(connection, "L1", "pictures", [str(now_record().id)])
        connection.rollback()
    committed(engine, now_record())
    assert [entry.sequence for entry in entries(engine, "L1")] == [1]


def test_pages_fall_anywhere_in_rows(engine: Engine) -> None:
    registered(engine, "L1")
    for count in (1, 7, 2, 11):
        committed(engine, *(now_record(part=f"{count}-{n}") for n in range(count)))
    whole = [entry.picture for entry in entries(engine, "L1")]
    for limit in (1, 2, 3, 5, 20):
        paged, after = [], 0
        while found := entries(engine, "L1", after, limit):
            assert len(found) <= limit
            paged += [entry.picture for entry in found]
            after = found[-1].sequence
        assert paged == whole


def test_a_decision_on_a_part_is_an_entry_of_its_line(engine: Engine) -> None:
    a_plant(engine)
    registered(engine, "L1")
    committed(engine, now_record(product="plug", part="P-9"))
    with transaction(engine) as connection:
        add(connection, [NewDecision("plug", "P-9", "bent", "anna")])
    last = entries(engine, "L1")[-1]
    assert (last.kind, last.part) == ("parts", ("plug", "P-9", "", 1))


def test_what_all_have_goes_after_an_hour_and_the_rest_after_days(engine: Engine) -> None:
    registered(engine, "L1", "fast", "slow")
    committed(engine, now_record(part="A"))
    committed(engine, now_record(part="B"))
    with transaction(engine) as connection:
        for receiver, told in (("fast", 2), ("slow", 1)):
            assert cursors.replay(connection, "L1", receiver, told)
    now = datetime.now(UTC)
    long_ago = now - timedelta(days=7)
    with transaction(engine) as connection:
        assert purge.purge_outbox(connection, long_ago, now, 500) == 0
        assert purge.purge_outbox(connection, long_ago, now + timedelta(hours=2), 500) == 1
    assert [entry.sequence for entry in entries(engine, "L1")] == [2]
    with transaction(engine) as connection:
        assert purge.purge_outbox(connection, now + timedelta(seconds=1), now, 500) == 0
    committed(engine, now_record(part="C"))
    much_later = datetime.now(UTC) + timedelta(days=8)
    with transaction(engine) as connection:
        assert purge.purge_outbox(connection, much_later, now, 500) == 1
    with reading(engine) as connection:
        assert head(connection, "L1") == 3
    assert [entry.sequence for entry in entries(engine, "L1")] == [3], "numbers go on from it"


def test_a_lease_is_one_dispatchers_until_it_ends_or_dies(engine: Engine) -> None:
    registered(engine, "L1")

    def take(owner: str, gone: tuple[str, ...] = ()) -> bool:
        with transaction(engine) as connection:
            return cursors.take(connection, "L1", "gate", owner, gone) is not None

    assert take("a")
    assert take("a")
    assert not take("b")
    assert take("b", gone=("a",))
    with transaction(engine) as connection:
        cursors.release(connection, "b")
    assert take("c")


def test_a_cursor_moves_for_its_owner_alone(engine: Engine) -> None:
    registered(engine, "L1")
    with transaction(engine) as connection:
        cursor, now = cursors.take(connection, "L1", "gate", "a"), datetime.now(UTC)
        assert cursor is not None
        assert not cursors.move(connection, cursor, 5, "b", now)
        assert cursors.move(connection, cursor, 5, "a", now)
        assert not cursors.move(connection, cursor, 6, "a", now)  # it was at 0 when it was read
        assert cursors.move(connection, cursors.moved_to(cursor, 5), 6, "a", now)


def test_a_commit_without_receivers_asks_only_whether_there_are_any(sqlite_url: str) -> None:
    from db.session import engine_for

    engine = engine_for(sqlite_url)
    committed(engine, now_record(part="A"))  # stations are known
    seen: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    committed(engine, now_record(part="B"))
    assert len([one for one in seen if "outbox" in one]) == 1

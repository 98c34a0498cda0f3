"""Rows that a real database refuses become dead letters; their neighbours are committed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import redis
from sqlalchemy import Engine, make_url, text

from db import migrate
from db.inspections import dead_letters
from db.inspections.inspections import outcomes
from db.session import engine_for, transaction
from producer.contract import ImageRef, Reason, Verdict, parse_message, receipts_key
from producer.contract.message import Envelope
from tests.support.committed import committed
from workers.pipeline.committer import Committer
from workers.pipeline.inspection_request import InspectionRequest
from workers.pipeline.receipts import ReceiptWriter
from workers.pipeline.reply import Reply

WAIT_S = 20.0
RAISING = """
    CREATE FUNCTION no_bad_part() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.part ~ '^bad' THEN RAISE EXCEPTION 'no such part' USING ERRCODE = '{state}'; END IF;
    RETURN NEW; END $$;
    CREATE TRIGGER no_bad_part BEFORE INSERT ON inspections
    FOR EACH ROW EXECUTE FUNCTION no_bad_part()
"""
NUMBERS = """
    CREATE FUNCTION numbered() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.part ~ '^bad' THEN NEW.attempt := 99999999999; END IF; RETURN NEW; END $$;
    CREATE TRIGGER numbered BEFORE INSERT ON inspections
    FOR EACH ROW EXECUTE FUNCTION numbered()
"""
REFUSALS = {
    "a trigger": RAISING.format(state="P0001"),
    "a trigger that speaks of rights": RAISING.format(state="42501"),
    "a trigger that speaks of tables": RAISING.format(state="42P01"),
    "a constraint": "ALTER TABLE inspections ADD CHECK (part !~ '^bad')",
    "a number out of range": NUMBERS,
}


@pytest.fixture
def committing(redis_url: str) -> Iterator[Callable[[Engine], Committer]]:
    started = []

    def start(engine: Engine) -> Committer:
        receipts = ReceiptWriter(redis.Redis.from_url(redis_url))
        committer = Committer(engine, receipts, timezone=ZoneInfo("UTC"), depth=512)
        committer.start()
        started.append(committer)
        return committer

    yield start
    for committer in started:
        committer.stop(1.0)


def request(part: str, uri: str = "/x.png") -> InspectionRequest:
    now = datetime.now(UTC)
    envelope = Envelope(product="cable", line="L1", enqueued_at=now, producer="p1")
    image = ImageRef(id=uuid4(), uri=uri, camera="C1", captured_at=now, part=part)
    return InspectionRequest(image, envelope, "w1")


def put(committer: Committer, requests: Sequence[InspectionRequest]) -> Reply:
    reply = Reply(len(requests))
    for request in requests:
        request.reply = reply
        request.judged(request.record(Verdict.PASS))
    committer.put(requests)
    return reply


def commit(committer: Committer, requests: Sequence[InspectionRequest]) -> Reply:
    reply = put(committer, requests)
    assert reply.wait(WAIT_S), "rows hang"
    return reply


@pytest.mark.parametrize("how", REFUSALS)
def test_a_refused_row_becomes_a_dead_letter_and_its_neighbours_are_committed(
    postgresql_url: str,
    redis_url: str,
    committing: Callable[[Engine], Committer],
    caplog: pytest.LogCaptureFixture,
    how: str,
) -> None:
    engine = engine_for(postgresql_url)
    with transaction(engine) as connection:
        connection.exec_driver_sql(REFUSALS[how])
    requests = [request(part) for part in ("a", "bad-1", "b", "c", "bad-2", "d")]
    with caplog.at_level(logging.WARNING):
        reply = commit(committing(engine), requests)
    assert reply.failures == {}
    found = outcomes(engine, [w.id for w in requests])
    bad = {w.id for w in requests if (w.image.part or "").startswith("bad")}
    assert {id_ for id_, o in found.items() if o.verdict is Verdict.DEAD_LETTER} == bad
    assert {o.reason for id_, o in found.items() if id_ in bad} == {Reason.POISON}
    letters = dead_letters.newest(engine)
    assert {letter.image_id for letter in letters} == bad
    for letter in letters:  # whole messages, which can be sent again
        assert [i.id for i in parse_message(json.loads(letter.payload)).images] == [letter.image_id]
        assert "refused its row 3 times" in letter.detail
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen(receipts_key("p1")) == len(requests)
    assert len(caplog.records) == len(bad), caplog.text  # a line for each, no traceback
    assert "Traceback" not in caplog.text
    with transaction(engine) as connection:
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS no_bad_part ON inspections")
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS no_bad_part")
        connection.exec_driver_sql("DROP TRIGGER IF EXISTS numbered ON inspections")
        connection.exec_driver_sql("DROP FUNCTION IF EXISTS numbered")


def test_a_trigger_on_sqlite(sqlite_url: str, committing: Callable[[Engine], Committer]) -> None:
    engine = engine_for(sqlite_url)
    with transaction(engine) as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER no_bad BEFORE INSERT ON inspections WHEN NEW.part = 'bad' "
            "BEGIN SELECT RAISE(ABORT, 'no such part'); END"
        )
    requests = [request("a"), request("bad"), request("b")]
    assert commit(committing(engine), requests).failures == {}
    found = outcomes(engine, [w.id for w in requests])
    assert [found[w.id].verdict for w in requests] == ["pass", "dead_letter", "pass"]


@pytest.fixture
def latin1_url(_postgresql: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of before encodings were looked at."""
    from db import session

    if isinstance(_postgresql, str):
        pytest.skip(_postgresql)
    url = _postgresql.create("LATIN1")
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "_refuse_encoding", lambda *_: None)
        migrate.upgrade(url)
    yield url
    session.dispose()
    _postgresql.drop(url)


def test_names_that_the_encoding_lacks(
    latin1_url: str, committing: Callable[[Engine], Committer]
) -> None:
    engine = engine_for(latin1_url)
    requests = [
        request("a"),
        request("b", "/€5.png"),
        request("部品-1", "/部品-1.png"),
        request("é", "/é.png"),
    ]
    assert commit(committing(engine), requests).failures == {}
    found = outcomes(engine, [w.id for w in requests])
    assert [found[w.id].verdict for w in requests] == ["pass", "dead_letter", "dead_letter", "pass"]
    with engine.connect() as connection:
        uris = connection.execute(text("SELECT image_uri FROM inspections ORDER BY image_uri"))
        assert {r"/\u90e8\u54c1-1.png", r"/\u20ac5.png"} < set(uris.scalars())
    payloads = [json.loads(letter.payload) for letter in dead_letters.newest(engine)]
    assert {p["images"][0]["uri"] for p in payloads} == {"/€5.png", "/部品-1.png"}


def test_any_letter_can_be_kept(latin1_url: str) -> None:
    engine = engine_for(latin1_url)
    told = {"product": "部品"}
    committed(
        engine,
        dead_letters.add,
        reason=Reason.UNREADABLE_MESSAGE,
        detail="部品 is no product",
        payload=json.dumps(told, ensure_ascii=False),
    )
    (letter,) = dead_letters.newest(engine)
    assert json.loads(letter.payload) == told
    assert letter.detail == r"\u90e8\u54c1 is no product"


def test_a_database_that_refuses_everything_gives_the_message_back(
    postgresql_url: str, committing: Callable[[Engine], Committer]
) -> None:
    engine = engine_for(postgresql_url)
    with transaction(engine) as connection:
        connection.exec_driver_sql("ALTER TABLE inspections ADD CHECK (verdict IS NULL) NOT VALID")
    lone = request("a")
    reply = commit(committing(engine), [lone])
    assert set(reply.failures) == {lone.id}, "acknowledged without a row"
    assert outcomes(engine, [lone.id]) == {}


WRONG = {  # what is wrong with the plant, and how a person mends it
    "a grant": (
        "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM {role}",
        "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role}",
    ),
    "a table": ("ALTER TABLE {table} RENAME TO gone", "ALTER TABLE gone RENAME TO {table}"),
    "a column": (
        "ALTER TABLE {table} RENAME COLUMN {column} TO gone",
        "ALTER TABLE {table} RENAME COLUMN gone TO {column}",
    ),
}


@pytest.mark.parametrize("how", WRONG)
def test_a_plant_that_is_set_up_wrongly_buries_no_picture(
    postgresql_url: str,
    committing: Callable[[Engine], Committer],
    caplog: pytest.LogCaptureFixture,
    how: str,
) -> None:
    """Every picture would become a dead letter, for want of a grant that nobody noticed."""
    admin = engine_for(postgresql_url)
    role = f"wrong_{uuid4().hex[:12]}"
    names = {"table": "inspection_hourly", "role": role, "column": "count"}
    broken, mended = (words.format(**names) for words in WRONG[how])
    with transaction(admin) as connection:
        connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        connection.exec_driver_sql(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
        )
        for what in ("USAGE ON ALL SEQUENCES", "EXECUTE ON ALL FUNCTIONS"):
            connection.exec_driver_sql(f"GRANT {what} IN SCHEMA public TO {role}")
        connection.exec_driver_sql(broken)
    left = [mended]

    def mend() -> None:
        while left:
            with transaction(admin) as connection:
                connection.exec_driver_sql(left.pop())

    url = make_url(postgresql_url).set(username=role)
    engine = engine_for(url.render_as_string(hide_password=False))
    try:
        committer = committing(engine)
        requests = [request(part) for part in ("a", "b")]
        reply = put(committer, requests)
        assert not reply.wait(1.0), "answered, though nothing can be stored"
        assert committer.holding.now
        assert dead_letters.newest(admin) == []
        assert len(caplog.records) == 1, caplog.text
        mend()
        assert reply.wait(WAIT_S), "rows hang"
        found = outcomes(admin, [w.id for w in requests])
        assert {o.verdict for o in found.values()} == {Verdict.PASS}
    finally:
        mend()
        engine.dispose()
        with transaction(admin) as connection:
            connection.exec_driver_sql(f"DROP OWNED BY {role}")
            connection.exec_driver_sql(f"DROP ROLE {role}")

"""The audit log shows tampering."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
from datetime import UTC, datetime
from threading import Thread

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from db import audit, migrate
from db.audit import GENESIS
from db.base import table_of
from db.labels import golden_sets
from db.session import engine_for, transaction
from db.tables import AuditEntry
from linewatch.os_user import os_user
from tests.support.committed import committed


def fill(engine: Engine, count: int = 5) -> list[str]:
    detail = {"share": 0.1, "large": 1e16, "odd": "\0\ud800 ü", "list": [1, None, True]}
    return [
        committed(engine, audit.append, "ann", "model.promote", f"cable-{n}", detail)
        for n in range(count)
    ]


def change(engine: Engine, statement: str) -> None:
    with transaction(engine) as connection:
        connection.execute(text(statement))


def test_an_untouched_log_holds(engine: Engine) -> None:
    assert audit.verify(engine) == audit.Verification(0, GENESIS, None)
    heads = fill(engine)
    assert audit.verify(engine) == audit.Verification(5, heads[-1], None)
    assert audit.verify(engine, head=heads[2]).problem is None
    assert [deed.subject for deed in audit.newest(engine, 2)] == ["cable-4", "cable-3"]


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE audit_log SET actor = 'bob' WHERE id = 3", "entry 3 was changed"),
        ("UPDATE audit_log SET detail = '{}' WHERE id = 3", "entry 3 was changed"),
        ("UPDATE audit_log SET at = '2020-01-01 00:00:00.000000' WHERE id = 3", "entry 3 was"),
        ("UPDATE audit_log SET os_uid = 4711 WHERE id = 3", "entry 3 was changed"),
        ("UPDATE audit_log SET os_user = NULL WHERE id = 3", "entry 3 was changed"),
        ("UPDATE audit_log SET database_user = 'bob' WHERE id = 3", "entry 3 was changed"),
        ("UPDATE audit_log SET format = 1 WHERE id = 3", "entry 3 was changed"),
        ("DELETE FROM audit_log WHERE id = 3", "entry 4 does not follow"),
        ("DELETE FROM audit_log WHERE id = 1", "entry 2 does not follow"),
    ],
)
def test_tampering_is_found(engine: Engine, statement: str, problem: str) -> None:
    fill(engine)
    change(engine, statement)
    assert problem in (audit.verify(engine).problem or "")


def test_a_cut_off_end_is_found_by_a_head_noted_earlier(engine: Engine) -> None:
    heads = fill(engine)
    change(engine, "DELETE FROM audit_log WHERE id = 5")
    assert audit.verify(engine).problem is None  # the chain alone cannot know
    assert "cut off" in (audit.verify(engine, head=heads[-1]).problem or "")


def test_writers_at_once_make_one_chain(engine: Engine) -> None:
    threads = [Thread(target=fill, args=(engine, 8)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = audit.verify(engine)
    assert (found.entries, found.problem) == (32, None)


def test_a_long_name_stops_no_deed(engine: Engine) -> None:
    # Typed as --by, or in a table of labels: a picture put into the wrong cell, for instance.
    with transaction(engine) as connection:
        audit.append(connection, "a" * 5000, "label.add", "s" * 5000, {"of": "b" * 5000})
    (deed,) = audit.newest(engine)
    assert len(deed.actor) == len(deed.subject) == 4000
    assert audit.verify(engine).problem is None


def test_an_entry_is_undone_with_its_deed(engine: Engine) -> None:
    with pytest.raises(RuntimeError), transaction(engine) as connection:  # noqa: PT012
        audit.append(connection, "ann", "label.add", "labels")
        raise RuntimeError
    assert audit.verify(engine).entries == 0


def as_first_written(engine: Engine, count: int) -> None:
    """Entries as version 0.1.0 wrote them."""
    previous = (audit.newest(engine, 1) and audit.verify(engine).head) or GENESIS
    for n in range(count):
        detail = {"share": 0.1, "large": 1e16, "ü": [1, None, True]}
        entry = {
            "actor": "ann",
            "action": "model.promote",
            "subject": f"cäble-{n}",
            "detail": detail,
            "previous_hash": previous,
        }
        at = datetime(2026, 3, 1, 8, n, 1, tzinfo=UTC)
        covered = {**entry, "at": at.isoformat(timespec="microseconds")}
        text_ = json.dumps(covered, sort_keys=True, separators=(",", ":"))
        previous = hashlib.sha256(text_.encode()).hexdigest()
        with transaction(engine) as connection:
            row = {**entry, "at": at, "hash": previous}
            connection.execute(table_of(AuditEntry).insert(), row)


def test_a_log_of_the_first_version_holds_and_goes_on(engine: Engine) -> None:
    as_first_written(engine, 3)
    assert audit.verify(engine) == audit.Verification(3, audit.verify(engine).head, None)
    heads = fill(engine, 2)
    as_first_written(engine, 1)  # one more of its programs, not yet replaced
    assert audit.verify(engine, head=heads[0]).problem is None
    assert audit.verify(engine).entries == 6
    change(engine, "UPDATE audit_log SET actor = 'bob' WHERE id = 2")
    assert "entry 2 was changed" in (audit.verify(engine).problem or "")


def test_a_number_of_somebodys_choice_does_not_end_the_chain(engine: Engine) -> None:
    """0.1.0's roles could write one: every entry after it had a lower number."""
    fill(engine, 2)
    change(engine, "UPDATE audit_log SET id = 9000000000000000000 WHERE id = 2")
    fill(engine, 3)
    assert audit.verify(engine) == audit.Verification(5, audit.verify(engine).head, None)


def test_whose_process_it_was_is_not_the_environments_to_say(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "the_boss")
    committed(engine, audit.append, os_user(), "model.promote", "cable")
    committed(engine, audit.append, "somebody else", "model.promote", "cable")
    claimed, own = audit.newest(engine, 2)
    me = pwd.getpwuid(os.getuid()).pw_name
    assert own.actor == me
    assert claimed.actor == "somebody else"
    assert (claimed.os_uid, claimed.os_user) == (os.getuid(), me)
    assert audit.verify(engine).problem is None


def test_who_holds_an_advisory_lock_holds_up_nobody(postgresql_url: str) -> None:
    engine = engine_for(postgresql_url)
    everyones = [0x11E3_A0D1, 0x11E3_901D, 0x11E3_A7C4, 0x11E3_A7C5]
    with psycopg.connect(engine.url.render_as_string(False).replace("+psycopg", "")) as holder:
        for key in everyones:
            holder.execute("SELECT pg_advisory_lock(%s)", [key])
        with transaction(engine) as connection:
            connection.execute(text("SET LOCAL lock_timeout = '3s'"))
            connection.execute(text("SET LOCAL statement_timeout = '3s'"))
            audit.append(connection, "ann", "model.promote", "cable")
            golden_sets.alone(connection)
        migrate.upgrade(postgresql_url)


def test_who_writes_for_long_is_not_waited_for_without_end(postgresql_url: str) -> None:
    engine = engine_for(postgresql_url)
    with transaction(engine) as slow:
        audit.append(slow, "ann", "model.promote", "cable")
        with transaction(engine) as connection:
            connection.execute(text("ALTER FUNCTION linewatch_lock SET lock_timeout = '50ms'"))
        with pytest.raises(DBAPIError, match="lock timeout"):
            committed(engine, audit.append, "bob", "model.promote", "cable")
        with transaction(engine) as connection:
            connection.execute(text("ALTER FUNCTION linewatch_lock SET lock_timeout = '10s'"))
    assert audit.verify(engine).entries == 1


@pytest.mark.parametrize(
    "detail", ["[]", "1", '"x"', "[" * 600 + "]" * 600, json.dumps({"x": "y" * 70_000})]
)
def test_a_detail_that_nobody_could_read_is_refused(postgresql_url: str, detail: str) -> None:
    engine = engine_for(postgresql_url)
    statement = text("SELECT linewatch_audit('a', 'b', 'c', CAST(:detail AS json), 0, 'root')")
    with pytest.raises(DBAPIError), transaction(engine) as connection:
        connection.execute(statement, {"detail": detail})


def test_a_detail_is_hashed_letter_by_letter(postgresql_url: str) -> None:
    """Who calls the function himself may write numbers and blanks as he likes."""
    engine = engine_for(postgresql_url)
    detail = '{ "b": 1.10, "a":1E5,"a":2, "t":"\\u00fc ü" }'
    statement = text("SELECT linewatch_audit('ü', 'b', 'c', CAST(:detail AS json), 0, NULL)")
    with transaction(engine) as connection:
        connection.execute(statement, {"detail": detail})
    assert audit.verify(engine).problem is None
    assert audit.newest(engine, 1)[0].database_user == engine.url.username

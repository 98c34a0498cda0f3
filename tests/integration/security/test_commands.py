"""`linewatch audit` and `linewatch dead-letters`, as people run them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from db import audit
from db.inspections import dead_letters, inbox
from db.session import engine_for, transaction
from linewatch.cli import cli, main
from linewatch.errors import DatabaseError, DeadLetterError
from linewatch.settings import Settings
from tests.support.committed import committed
from tests.support.database_users import database_users


@pytest.fixture
def engine(settings: Settings) -> Engine:
    return engine_for(settings.sql_url)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments), catch_exceptions=True)


def letter(engine: Engine, **fields: object) -> int:
    image = {
        "id": str(uuid4()),
        "uri": "/a.png",
        "camera": "c",
        "captured_at": "2026-01-01T00:00:00Z",
    }
    payload = {
        "version": 1,
        "product": "widget",
        "line": "l",
        "enqueued_at": "2026-01-01T00:00:00Z",
        "images": [image],
    }
    usual = {"reason": "poison", "detail": "killed three", "payload": json.dumps(payload)}
    return committed(engine, dead_letters.add, **{**usual, **fields})  # type: ignore[arg-type]


def test_audit_lists_and_verifies(engine: Engine) -> None:
    assert "the audit log is empty" in run("audit", "list").output
    first = committed(engine, audit.append, "ann", "model.promote", "cable", {"version": "cable-1"})
    head = committed(engine, audit.append, "=cmd()", "label.add", "labels")
    listed = json.loads(run("audit", "list", "--format", "json").output)
    assert [row["actor"] for row in listed] == ["=cmd()", "ann"]
    assert "'=cmd()" in run("audit", "list", "--format", "csv").output
    good = run("audit", "verify", "--head", first)
    assert (good.exit_code, good.output) == (0, f"2 entries hold; head {head}\n")


@pytest.mark.parametrize(
    ("tampering", "says"),
    [
        ("UPDATE audit_log SET actor = 'bob' WHERE id = 1", "entry 1 was changed"),
        ("DELETE FROM audit_log WHERE id = 1", "entries are gone"),
        ("DELETE FROM audit_log WHERE id = 2", "its end was cut off"),
    ],
)
def test_audit_verify_finds_tampering(engine: Engine, tampering: str, says: str) -> None:
    committed(engine, audit.append, "ann", "model.promote", "cable")
    head = committed(engine, audit.append, "ann", "model.retire", "cable")
    with transaction(engine) as connection:
        connection.execute(text(tampering))
    found = run("audit", "verify", "--head", head)
    assert found.exit_code == 1
    assert says in found.output


def test_letters_are_listed_shown_requeued_and_purged(
    engine: Engine, make_settings: Callable[..., Settings], redis_url: str
) -> None:
    make_settings(redis_url=redis_url)
    assert "no dead letters" in run("dead-letters", "list").output
    number = letter(engine)
    listed = json.loads(run("dead-letters", "list", "--format", "json").output)
    assert [(row["letter"], row["state"]) for row in listed] == [(number, "kept")]
    assert "/a.png" in run("dead-letters", "show", str(number)).output
    sent = run("dead-letters", "requeue", str(number))
    assert f"letter {number}: 1 pictures sent again, 0 of them" in sent.output
    assert "no dead letters" in run("dead-letters", "list").output
    (row,) = json.loads(run("dead-letters", "list", "--all", "--format", "json").output)
    assert row["state"] == "sent again, settled"
    assert "1 letters deleted" in run("dead-letters", "purge", "--older-than", "0", "--yes").output
    assert [deed.action for deed in audit.newest(engine)] == [
        "dead_letter.purge",
        "dead_letter.requeue",
    ]
    assert isinstance(run("dead-letters", "show", str(number)).exception, DeadLetterError)


ACTS = "\x1b]0;owned\x07\x9b2J\u202e\u2028\nforged"


@pytest.mark.parametrize("format_", ["table", "csv", "json"])
def test_nothing_that_outsiders_wrote_acts_on_the_terminal(engine: Engine, format_: str) -> None:
    number = letter(engine, payload=ACTS, detail=f"a{ACTS}: not permitted", task_id=f"t{ACTS}")
    committed(engine, audit.append, f"ann{ACTS}", "label.add", "labels")
    shown = run("dead-letters", "show", str(number)).output
    assert len(shown.splitlines()) == 4
    listed = run("dead-letters", "list", "--format", format_).output
    told = run("audit", "list", "--format", format_).output
    for output in (shown, listed, told):
        assert output.replace("\n", "").isprintable()
        assert "owned" in output
        assert format_ == "csv" or not [x for x in output.splitlines() if x.startswith("forged")]


def test_an_error_that_names_what_outsiders_wrote_forges_no_line(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    payload = {"version": 1, "images": [{}], "product": "p", "line": "l", ACTS: 1}
    number = letter(engine, payload=json.dumps(payload))
    monkeypatch.setattr("sys.argv", ["linewatch", "dead-letters", "requeue", str(number)])
    factory = logging.getLogRecordFactory()
    with pytest.raises(SystemExit):
        main()
    logging.setLogRecordFactory(factory)
    said = capsys.readouterr().err
    assert "would be refused again" in said
    first, *others = said.strip("\n").split("\n")
    assert first.startswith("linewatch: ")
    assert all(line.startswith("  ") for line in others)
    assert said.replace("\n", "").isprintable()


def test_a_purge_asks_first(engine: Engine) -> None:
    letter(engine)
    result = CliRunner().invoke(cli, ["dead-letters", "purge", "--older-than", "0"], input="n\n")
    assert result.exit_code == 1
    assert len(dead_letters.newest(engine)) == 1


def test_a_letter_that_waits_is_listed_behind_many_that_somebody_saw_to(engine: Engine) -> None:
    waiting = letter(engine)
    by_hand, sent = letter(engine), letter(engine)
    committed(engine, inbox.address, [by_hand], by="ann", note="the line was told")
    found = dead_letters.get(engine, sent)
    assert found is not None
    committed(engine, dead_letters.sent_again, found)
    listed = run("dead-letters", "list", "--limit", "1", "--format", "json").output
    assert [(one["letter"], one["state"]) for one in json.loads(listed)] == [(waiting, "kept")]
    everything = json.loads(run("dead-letters", "list", "--all", "--format", "json").output)
    assert {one["letter"]: one["state"] for one in everything} == {
        waiting: "kept",
        by_hand: "addressed",
        sent: "sent again, settled",
    }


def test_what_the_database_refuses_is_said_in_a_sentence(
    make_settings: Callable[..., Settings], postgresql_url: str
) -> None:
    """Any command may be typed as a user of any role."""
    with database_users(postgresql_url) as users:
        make_settings(database_url=users.url("console"))
        refused = CliRunner().invoke(cli, ["purge"])
        assert isinstance(refused.exception, DatabaseError)
        assert f"refuses this to its user {users.name('console')}: " in str(refused.exception)
        assert "docs/security.md" in str(refused.exception)

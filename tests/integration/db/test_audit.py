"""The audit log shows tampering."""

from __future__ import annotations

from threading import Thread

import pytest
from sqlalchemy import Engine, text

from db import audit
from db.audit import GENESIS
from db.session import transaction


def fill(engine: Engine, count: int = 5) -> list[str]:
    detail = {"share": 0.1, "large": 1e16, "odd": "\0\ud800 ü", "list": [1, None, True]}
    return [
        audit.append(engine, "ann", "model.promote", f"cable-{n}", detail) for n in range(count)
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


def test_an_entry_is_undone_with_its_deed(engine: Engine) -> None:
    with pytest.raises(RuntimeError), transaction(engine) as connection:  # noqa: PT012
        audit.append_within(connection, "ann", "label.add", "labels")
        raise RuntimeError
    assert audit.verify(engine).entries == 0

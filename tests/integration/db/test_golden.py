"""Golden sets: frozen once, told apart by their digest."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, delete

from db import audit, golden, golden_sets
from db.base import table_of
from db.inspections import commit_inspections
from db.session import engine_for, transaction
from db.tables import GoldenItem
from linewatch.cli import cli
from linewatch.errors import LabelError
from linewatch.settings import Settings
from tests.support.records import UTC, a_record


def pictures(engine: Engine, count: int) -> list:
    records = [a_record(part=f"P-{n}") for n in range(count)]
    commit_inspections(engine, records, UTC)
    return [record.id for record in records]


def test_a_frozen_set_stays_as_it_is(engine: Engine) -> None:
    ids = pictures(engine, 3)
    golden.add(engine, "cable", "g", dict.fromkeys(ids[:2], "good"), by="ann")
    frozen = golden.freeze(engine, "cable", "g", by="ann")
    assert frozen.pictures == 2
    assert frozen.digest == golden.digest(golden.members(engine, "cable", "g"))
    with pytest.raises(LabelError, match="is frozen; begin a new one"):
        golden.add(engine, "cable", "g", {ids[2]: "good"}, by="bob")
    assert golden.freeze(engine, "cable", "g", by="bob") == frozen
    assert [deed.action for deed in audit.newest(engine)] == ["golden.freeze", "golden.add"]
    golden.add(engine, "cable", "h", {ids[2]: "good"}, by="bob")
    assert [(s.set_name, s.pictures, s.frozen is None) for s in golden_sets.all_sets(engine)] == [
        ("g", 2, False),
        ("h", 1, True),
    ]
    assert golden.remove(engine, "cable", "g", by="ann") == 2
    assert golden_sets.frozen(engine, "cable", "g") is None
    golden.add(engine, "cable", "g", {ids[2]: "good"}, by="bob")


def test_the_digest_tells_pictures_and_labels_apart(engine: Engine) -> None:
    one, other = pictures(engine, 2)
    digests = [
        golden.digest(labels)
        for labels in ({one: "good"}, {one: "cut"}, {other: "good"}, {one: "good", other: "good"})
    ]
    assert len(set(digests)) == 4
    assert golden.digest({other: "a", one: "b"}) == golden.digest({one: "b", other: "a"})
    with pytest.raises(LabelError, match="no golden set 'none'"):
        golden.freeze(engine, "cable", "none", by="ann")


def test_the_commands(settings: Settings, tmp_path: Path) -> None:
    engine = engine_for(settings.sql_url)
    pictures(engine, 2)
    csv = tmp_path / "golden.csv"
    csv.write_text("part,label\nP-0,good\nP-1,cut\n")
    run = CliRunner().invoke
    assert (
        "2 pictures are new in cable/default"
        in run(cli, ["golden", "add", "cable", str(csv)]).output
    )
    assert "2 pictures, frozen" in run(cli, ["golden", "freeze", "cable"]).output
    digest = golden.digest(golden.members(engine, "cable", "default"))
    listed = run(cli, ["golden", "list", "--format", "csv"]).output.splitlines()
    assert listed[1].startswith("cable,default,2,")
    assert listed[1].endswith(digest)
    assert run(cli, ["golden", "digest", "cable"]).output.strip() == digest
    assert "no golden set" in str(run(cli, ["golden", "digest", "plug"]).exception)
    with transaction(engine) as connection:  # somebody goes behind the command's back
        table = table_of(GoldenItem)
        connection.execute(delete(table).where(table.c.label == "cut"))
    assert "holds others now" in str(run(cli, ["golden", "digest", "cable"]).exception)

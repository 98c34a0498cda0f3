"""Golden sets: one that the gate reads, frozen once, told apart by their digest."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, delete

from db import audit, products
from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.labels import golden_members, golden_sets, labels
from db.labels.labels import NewLabel
from db.session import engine_for, transaction
from db.tables import GoldenItem
from linewatch.cli import cli
from linewatch.errors import LabelError, LinewatchError, UnknownProductError
from linewatch.settings import Settings
from tests.support.bench import spec_of
from tests.support.committed import committed
from tests.support.records import NOON, UTC, a_record


@pytest.fixture
def cables(engine: Engine) -> list[UUID]:
    """Three pictures of registered cables, each of a part of its own."""
    committed(engine, products.register, spec_of("good", "bent", "cut"))
    return pictures(engine, 3)


@pytest.fixture
def plant(make_settings: Callable[..., Settings], database_url: str, cables: list[UUID]) -> Engine:
    """The database of `cables`, where commands look for it."""
    make_settings(database_url=database_url)
    return engine_for(database_url)


def pictures(engine: Engine, count: int, **fields: object) -> list[UUID]:
    records = [a_record(**{"part": f"P-{n}", **fields}) for n in range(count)]
    commit_inspections(engine, records, UTC)
    return [record.id for record in records]


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code != 0, result.output
    assert isinstance(result.exception, LinewatchError | SystemExit), repr(result.exception)
    return f"{result.exception} {result.output}"


def as_0_1_0_did(engine: Engine, product: str, set_name: str, items: dict[UUID, str]) -> None:
    """Put rows into a set without a question, as version 0.1.0's `golden add` did."""
    same = {"product": product, "set_name": set_name, "added_at": NOON, "added_by": "ann"}
    rows = [{**same, "inspection_id": id_, "label": label} for id_, label in items.items()]
    with transaction(engine) as connection:
        connection.execute(table_of(GoldenItem).insert(), rows)


def test_a_frozen_set_stays_as_it_is(engine: Engine, cables: list[UUID]) -> None:
    committed(engine, golden_members.add, "cable", "g", dict.fromkeys(cables[:2], "good"), by="ann")
    frozen = committed(engine, golden_members.freeze, "cable", "g", by="ann")
    assert frozen.pictures == 2
    assert frozen.digest == golden_members.digest(golden_members.members(engine, "cable", "g"))
    with pytest.raises(LabelError, match="is frozen, so no picture joins or leaves"):
        committed(engine, golden_members.add, "cable", "g", {cables[2]: "good"}, by="bob")
    with pytest.raises(LabelError, match="is frozen, so no picture joins or leaves"):
        committed(engine, golden_members.remove, "cable", "g", cables[:1], by="bob")
    assert committed(engine, golden_members.freeze, "cable", "g", by="bob") == frozen
    deeds = [deed.action for deed in audit.newest(engine)][:2]
    assert deeds == ["golden.freeze", "golden.add"]
    committed(engine, golden_members.add, "cable", "h", {cables[2]: "good"}, by="bob")
    assert [(s.set_name, s.pictures, s.frozen is None) for s in golden_sets.all_sets(engine)] == [
        ("g", 2, False),
        ("h", 1, True),
    ]
    assert committed(engine, golden_members.dissolve, "cable", "g", by="ann", why="renewed") == 2
    (deed,) = (deed for deed in audit.newest(engine) if deed.action == "golden.dissolve")
    assert deed.detail == {"pictures": 2, "digest": frozen.digest, "why": "renewed"}
    assert golden_sets.frozen(engine, "cable", "g") is None
    committed(engine, golden_members.add, "cable", "g", {cables[2]: "good"}, by="bob")


def test_what_freezes_and_what_joins_at_once_agree(engine: Engine, cables: list[UUID]) -> None:
    """Whoever comes second waits: the digest is of the pictures that are in the set for good."""
    committed(engine, golden_members.add, "cable", "g", {cables[0]: "good"}, by="ann")
    joined, errors = threading.Event(), []

    def freeze() -> None:
        joined.wait(5)
        try:
            committed(engine, golden_members.freeze, "cable", "g", by="bob")
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=freeze)
    thread.start()
    with transaction(engine) as connection:
        golden_sets.alone(connection)
        row = {"product": "cable", "set_name": "g", "inspection_id": cables[1], "label": "bent"}
        table = table_of(GoldenItem)
        connection.execute(table.insert(), {**row, "added_at": NOON, "added_by": "ann"})
        joined.set()
        thread.join(0.5)  # it freezes now if it does not wait
    thread.join(30)
    assert errors == []
    held, frozen = (
        golden_members.members(engine, "cable", "g"),
        golden_sets.frozen(engine, "cable", "g"),
    )
    assert len(held) == 2
    assert frozen is not None
    assert frozen.digest == golden_members.digest(held)


def test_the_digest_tells_pictures_and_labels_apart(engine: Engine, cables: list[UUID]) -> None:
    one, other, _ = cables
    digests = [
        golden_members.digest(labels)
        for labels in ({one: "good"}, {one: "cut"}, {other: "good"}, {one: "good", other: "good"})
    ]
    assert len(set(digests)) == 4
    assert golden_members.digest({other: "a", one: "b"}) == golden_members.digest(
        {one: "b", other: "a"}
    )
    with pytest.raises(LabelError, match="no golden set 'none'"):
        committed(engine, golden_members.freeze, "cable", "none", by="ann")


def test_what_is_not_known_joins_no_set(engine: Engine, cables: list[UUID]) -> None:
    (plug,) = pictures(engine, 1, product="plug")
    for product, picture, label, error, words in [
        ("cabel", cables[0], "good", UnknownProductError, "'cabel'; did you mean 'cable'?"),
        ("cable", cables[0], "Godo", LabelError, "no class 'Godo'; it has .*mean 'good'"),
        ("cable", uuid4(), "good", LabelError, "no inspection has the id"),
        ("cable", plug, "good", LabelError, "is of product plug, not cable"),
    ]:
        with pytest.raises(error, match=words):
            committed(
                engine,
                golden_members.add,
                product,
                "g",
                {cables[1]: "good", picture: label},
                by="ann",
            )
    assert golden_sets.all_sets(engine) == []
    committed(engine, golden_members.add, "cable", "g", {cables[0]: "good"}, by="ann")
    with pytest.raises(LabelError, match="as 'good', not 'cut'; take it out"):
        committed(
            engine,
            golden_members.add,
            "cable",
            "g",
            {cables[1]: "good", cables[0]: "cut"},
            by="ann",
        )
    assert golden_members.members(engine, "cable", "g") == {cables[0]: "good"}


def test_commands_fill_freeze_and_empty_the_set_that_the_gate_reads(
    plant: Engine, cables: list[UUID], tmp_path: Path
) -> None:
    table = tmp_path / "golden.csv"
    table.write_text("part;label\nP-0;good\nP-1;cut\n")
    assert "2 pictures are new in cable/golden" in run("golden", "add", "cable", str(table)).output
    shown = json.loads(run("golden", "show", "cable", "--format", "json").output)
    assert {(row["part"], row["label"]) for row in shown} == {("P-0", "good"), ("P-1", "cut")}
    picture = str(cables[1])
    assert "1 pictures were" in run("golden", "remove", "cable", "--picture", picture).output
    assert golden_members.members(plant, "cable", "golden") == {cables[0]: "good"}
    deed = audit.newest(plant)[0]
    assert (deed.action, deed.detail["ids"]) == ("golden.remove", [picture])
    assert "does not hold picture" in refused("golden", "remove", "cable", "--picture", picture)
    run("golden", "add", "cable", str(table))
    assert "2 pictures, frozen" in run("golden", "freeze", "cable").output
    table.write_text("part\nP-0\n")
    assert "is frozen" in refused("golden", "remove", "cable", str(table))
    digest = golden_members.digest(golden_members.members(plant, "cable", "golden"))
    listed = run("golden", "list", "--format", "csv").output.splitlines()
    assert listed[1].startswith("cable,golden,2,true,")
    assert listed[1].endswith(digest)
    assert run("golden", "digest", "cable").output.strip() == digest
    with transaction(plant) as connection:  # somebody goes behind the command's back
        item = table_of(GoldenItem)
        connection.execute(delete(item).where(item.c.label == "cut"))
    assert "holds others now" in refused("golden", "digest", "cable")
    assert "needs --why" in refused("golden", "remove", "cable", "--all")
    run("golden", "remove", "cable", "--all", "--why", "damaged")
    assert "has no golden set 'golden'" in refused("golden", "digest", "cable")


def test_what_commands_refuse_names_the_nearest(
    plant: Engine, cables: list[UUID], tmp_path: Path
) -> None:
    table = tmp_path / "golden.csv"

    def add(text: str, product: str = "cable") -> str:
        table.write_text(text)
        return refused("golden", "add", product, str(table))

    assert "no product is called 'cabel'; did you mean 'cable'" in add("part,label\n", "cabel")
    assert "line 3: product cable has no class 'bend'" in add("part,label\nP-0,good\nP-1,bend\n")
    assert "has part 'P-l'; did you mean 'P-" in add("part,label\nP-l,good\n")
    assert "line 3: its picture is 'good' above" in add("part,label\nP-0,good\nP-0,cut\n")
    pictures(plant, 1, part="P-0")
    assert "line 2: part 'P-0' has 2 pictures; name the picture" in add("part,label\nP-0,good\n")
    assert "say what to remove" in refused("golden", "remove", "cable")
    committed(plant, golden_members.add, "cable", "golden", {cables[1]: "good"}, by="ann")
    said = refused("golden", "digest", "cable", "--set", "goldn")
    assert "no golden set 'goldn'; did you mean 'golden'?" in said


def test_what_0_1_0_put_into_default_is_the_set_that_is_meant(
    plant: Engine, cables: list[UUID], tmp_path: Path, make_settings: Callable[..., Settings]
) -> None:
    """Its pictures, its digest and its place stay; the commands and the gate find it."""
    as_0_1_0_did(plant, "cable", "default", {cables[0]: "good"})
    as_0_1_0_did(plant, "cabel", "default", {cables[0]: "god"})  # it asked no questions
    before = committed(plant, golden_members.freeze, "cable", "default", by="ann")
    assert run("golden", "digest", "cable").output.strip() == before.digest
    assert "cable,default,1,true," in run("golden", "list", "--format", "csv").output
    assert "1 pictures were taken out" in run("golden", "remove", "cabel", "--all").output
    assert golden_sets.usual(plant, "cable", "golden") == "default"
    assert golden_sets.usual(plant, "plug", "golden") == "golden"
    table = tmp_path / "more.csv"
    table.write_text("part,label\nP-1,cut\n")
    assert "default is frozen" in refused("golden", "add", "cable", str(table))
    said = run("golden", "add", "cable", str(table), "--set", "other").output
    assert "the gate compares models on cable/default, not on this set" in said
    run("golden", "add", "cable", str(table), "--set", "golden")
    assert golden_sets.usual(plant, "cable", "golden") == "golden"
    assert golden_sets.usual(plant, "cable", "default") == "default"  # as the setting says
    assert golden_members.every_member(plant, "cable") == set(cables[:2])


def test_an_export_keeps_golden_pictures_out_of_train_and_has_their_digest(
    plant: Engine, cables: list[UUID], tmp_path: Path
) -> None:
    kinds = ("good", "bent", "cut")
    more = [pictures(plant, 1, part=f"Q-{n // 2}")[0] for n in range(60)]
    said = [NewLabel(id_, kinds[n // 2 % 3], "ann") for n, id_ in enumerate(more)]
    committed(plant, labels.add_labels, said)
    held = {more[n]: kinds[n // 2 % 3] for n in range(0, 20, 2)}
    held[cables[0]] = "good"  # nobody labelled it
    held[more[0]] = "cut"  # somebody labelled it otherwise
    committed(plant, golden_members.add, "cable", "golden", held, by="ann")
    committed(plant, golden_members.add, "cable", "another", {more[30]: kinds[0]}, by="ann")
    out = tmp_path / "labels.csv"
    result = run("labels", "export", "cable", "--out", str(out), "--split", "1,0,0")
    assert "1 golden pictures have another label" in result.output
    with out.open() as file:
        rows = {UUID(row["id"]): (row["split"], row["label"]) for row in csv.DictReader(file)}
    assert set(rows) == {*more, cables[0]}
    exported = {id_: label for id_, (split, label) in rows.items() if split == "golden"}
    assert exported == held
    assert golden_members.digest(exported) == run("golden", "digest", "cable").output.strip()
    beside = {more[n] for n in (*range(1, 20, 2), 30, 31)}  # of golden parts, or another set
    assert {id_ for id_, (split, _) in rows.items() if split == "test"} == beside
    assert sum(split == "train" for split, _ in rows.values()) == 60 - 20 - 2
    coco = json.loads(run("labels", "export", "cable", "--format", "coco").stdout)
    assert sum(image["split"] == "golden" for image in coco["images"]) == len(held)


def test_a_class_that_is_a_path_leaves_no_folder(
    plant: Engine, cables: list[UUID], tmp_path: Path
) -> None:
    as_0_1_0_did(plant, "cable", "default", {cables[0]: "../../out"})
    out = tmp_path / "a" / "tree"
    said = refused("labels", "export", "cable", "--format", "folder", "--out", str(out))
    assert "can be no folder's name" in said

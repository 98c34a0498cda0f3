"""`linewatch labels`, as typed: what goes out, what comes back, and what people are shown."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, delete

from db import audit, products
from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord, StoredFeatures
from db.labels import decisions, labels
from db.labels import history as label_history
from db.labels.labels import NewLabel
from db.parts.purged import keep_views
from db.session import engine_for, transaction
from db.tables import Inspection
from linewatch.cli import cli
from linewatch.errors import LinewatchError
from linewatch.products import load_product, product_files
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.bench import spec_of
from tests.support.committed import committed
from tests.support.part_facts import stored_parts
from tests.support.records import NOON, a_record
from vision.decode import digest

NAMES = ("cable", "plug")
KINDS = ("good", "bent_wire", "cable_swap")


@pytest.fixture
def plant(
    make_settings: Callable[..., Settings], database_url: str, tmp_path: Path
) -> tuple[Settings, list[InspectionRecord]]:
    """36 labelled cables with pictures and features that tell their classes apart."""
    from db.models import feature_spaces

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    settings = make_settings(database_url=database_url, image_roots=[pictures])
    engine = engine_for(database_url)
    committed(
        engine,
        products.register,
        load_product(next(p for p in product_files() if p.stem == "cable")),
    )
    committed(engine, feature_spaces.register, "f1", encoders="test", dim=8)
    rng, dice, records = np.random.default_rng(0), Random(0), []
    for number in range(36):
        path = pictures / f"{number:02}.PNG"
        path.write_bytes(b"picture %d" % number)
        vector = (rng.normal(size=8) + 5 * np.eye(8)[number % 3]).astype("<f2")
        records.append(
            a_record(
                id=UUID(int=dice.getrandbits(128), version=4),  # the folds follow from the ids
                image_uri=str(path),
                image_sha256=digest(path.read_bytes()),
                part=f"=P{number // 2}",  # two cameras see each part
                features=StoredFeatures("f1", vector.tobytes()),
            )
        )
    commit_inspections(engine, records, UTC)
    said = [
        NewLabel(record.id, KINDS[n % 3], "ann", labelled_at=NOON + timedelta(minutes=n))
        for n, record in enumerate(records)
    ]
    committed(engine, labels.add_labels, said)
    return settings, records


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["labels", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def rows(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(*arguments, "--format", "json"))
    return found


def failed(*arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["labels", *arguments])
    assert isinstance(result.exception, LinewatchError), repr(result.exception)
    return result


def test_a_csv_export_runs_in_no_spreadsheet_and_comes_back_as_it_was(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    settings, records = plant
    engine = engine_for(settings.database_url)
    committed(
        engine,
        labels.add_labels,
        [NewLabel(records[0].id, "combined", "=cmd()", "web", note="@x\ry")],
    )
    out = tmp_path / "labels.csv"
    run("export", "cable", "--out", str(out))
    with out.open(newline="") as table:
        found = list(csv.DictReader(table))
    (row,) = (row for row in found if row["id"] == str(records[0].id))
    assert (row["label"], row["labelled_by"], row["note"]) == ("combined", "'=cmd()", "'@x\ry")
    assert row["part"] == "'=P0"
    before = label_history.current(engine, "cable")
    assert run("import", str(out)) == "36 labels stored\n"
    after = label_history.current(engine, "cable")
    assert len(label_history.history(engine, "cable")) == 36 + 1 + 36  # nothing is overwritten
    kept = ("inspection_id", "label", "labelled_by", "labelled_at", "source", "note")
    for name in kept:
        assert [getattr(s, name) for s in after] == [getattr(s, name) for s in before]


def test_coco(plant: tuple[Settings, list[InspectionRecord]]) -> None:
    _, records = plant
    found = json.loads(run("export", "cable", "--format", "coco"))
    names = {category["id"]: category["name"] for category in found["categories"]}
    assert len(names) == 9
    images = {image["id"]: image for image in found["images"]}
    said = {
        images[one["image_id"]]["inspection_id"]: names[one["category_id"]]
        for one in found["annotations"]
    }
    assert said == {str(record.id): KINDS[n % 3] for n, record in enumerate(records)}
    assert {image["file_name"] for image in images.values()} == {r.image_uri for r in records}


def test_a_tree_holds_each_picture_once_and_keeps_parts_together(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    _, records = plant
    out = tmp_path / "tree"
    assert run("export", "cable", "--format", "folder", "--out", str(out)).startswith("36 pictures")
    where, split_of = {}, defaultdict(set)
    for path in sorted(out.rglob("*.png")):
        split, kind, name = path.relative_to(out).parts
        assert path.is_symlink()
        where[name.removesuffix(".png")] = (split, kind, path.read_bytes())
    for n, record in enumerate(records):
        split, kind, data = where.pop(str(record.id))
        assert (kind, data) == (KINDS[n % 3], b"picture %d" % n)
        split_of[record.part].add(split)
    assert not where
    assert all(len(splits) == 1 for splits in split_of.values())
    assert "is not empty" in str(
        failed("export", "cable", "--format", "folder", "--out", str(out)).exception
    )


def test_a_tree_leaves_out_what_was_changed_lost_or_lies_elsewhere(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    settings, _ = plant
    pictures = settings.image_roots[0]
    (pictures / "00.PNG").write_bytes(b"another picture")
    (pictures / "01.PNG").unlink()
    (tmp_path / "secret").write_text("not for export")
    stray = a_record(image_uri=str(tmp_path / "secret"))
    engine = engine_for(settings.database_url)
    commit_inspections(engine, [stray], UTC)
    committed(engine, labels.add_labels, [NewLabel(stray.id, "good", "ann")])
    out = tmp_path / "tree"
    result = CliRunner().invoke(
        cli, ["labels", "export", "cable", "--format", "folder", "--out", str(out), "--copy"]
    )
    assert result.exit_code == 0
    assert "34 pictures" in result.output
    assert "3 pictures were left out" in result.output
    copies = [path for path in out.rglob("*") if path.is_file()]
    assert len(copies) == 34
    assert not any(path.is_symlink() for path in copies)
    assert b"not for export" not in {path.read_bytes() for path in copies}


def test_a_tree_without_a_picture_is_an_error(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    settings, records = plant
    out, pictures = tmp_path / "tree", settings.image_roots[0]
    for path in pictures.iterdir():
        path.unlink()
    said = str(failed("export", "cable", "--format", "folder", "--out", str(out)).exception)
    assert said.startswith(f"nothing was exported to {out}: all 36 labelled pictures were left out")
    assert any(f"such as {one.id}: {one.image_uri} does not exist; " in said for one in records)
    assert "LINEWATCH_IMAGE_ROOTS" in said
    assert not out.exists()


def test_history_and_disagreements(plant: tuple[Settings, list[InspectionRecord]]) -> None:
    settings, records = plant
    engine, first, second = engine_for(settings.database_url), records[0], records[1]
    assert rows("disagreements", "cable") == []
    later = datetime.now(UTC)
    committed(engine, labels.add_labels, [NewLabel(first.id, "combined", "bob", labelled_at=later)])
    committed(
        engine, labels.add_labels, [NewLabel(second.id, "combined", "ann", labelled_at=later)]
    )
    (one,) = rows("disagreements", "cable")  # a person may change their own mind
    assert one["picture"] == str(first.id)
    assert one["said"] == "ann: good, bob: combined"
    assert one["counts"] == "combined"
    told = rows("history", "cable", "--part", str(second.id))
    assert [row["label"] for row in told] == ["bent_wire", "combined"]
    assert len(rows("history", "cable", "--part", "=P0")) == 4
    assert len(rows("list", "cable")) == 36


def test_suspects_and_advice(plant: tuple[Settings, list[InspectionRecord]]) -> None:
    pytest.importorskip("cleanlab")
    settings, records = plant
    engine = engine_for(settings.database_url)
    committed(
        engine, labels.add_labels, [NewLabel(records[3].id, "cable_swap", "eve")]
    )  # it is "good"
    found = rows("suspects", "cable")
    assert found[0]["picture"] == str(records[3].id)
    assert (found[0]["label"], found[0]["suggested"]) == ("cable_swap", "good")
    advice = {row["class"]: row for row in rows("advice", "cable", "--target", "0.8")}
    assert set(advice) == set(KINDS)
    assert advice["good"]["more_labels"] == 0


def decisions_and_labels(engine: Engine) -> tuple[int, int]:
    return len(decisions.history(engine, "cable")), len(label_history.history(engine, "cable"))


def test_what_is_said_of_a_part_is_a_decision_and_no_label_of_every_view(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    """Two cameras see part =P0; nobody said which of them sees the bent wire."""
    settings, _ = plant
    engine = engine_for(settings.database_url)
    alone = a_record(part="Alone")
    commit_inspections(engine, [alone], UTC)
    before = labels.latest(engine, "cable")
    table = tmp_path / "parts.csv"
    table.write_text(
        "Serial;Class;labelled_by;labelled_at;note\n"
        "'=P0;bent_wire;bob;2026-03-02T13:00:00+00:00;seen from above\n"
        "Alone;good;bob;2026-03-02T13:00:00+00:00;\n"
    )
    said = run("import", str(table))
    assert said.startswith("2 decisions on parts, 1 labels on pictures\n")
    assert "1 of the parts have several pictures or none" in said
    assert labels.latest(engine, "cable") == {**before, alone.id: "good"}
    (first, second) = rows("decisions", "cable")
    assert first == {
        "part": "=P0",
        "pass": None,
        "disposition": "nonconforming",
        "class": "bent_wire",
        "by": "bob",
        "at": "2026-03-02T13:00:00+00:00",
        "source": "csv",
        "why": "seen from above",
    }
    assert (second["part"], second["disposition"], second["class"]) == ("Alone", "conforming", None)
    deeds = [deed for deed in audit.newest(engine) if deed.action == "decision.add"]
    assert [(deed.actor, deed.detail["decisions"]) for deed in deeds] == [("bob", 2)]

    table.write_text("part,label,labelled_at\n'=P0,good,2026-03-02T12:59:00+00:00\n")
    run("import", str(table))  # said before: it does not hold, and stays on record
    (held,) = rows("decisions", "cable", "--part", "=P0")
    assert held["class"] == "bent_wire"
    every = rows("decisions", "cable", "--part", "=P0", "--all")
    assert [row["class"] for row in every] == [None, "bent_wire"]
    counts = decisions_and_labels(engine)
    table.write_text("part,label\nAlone,good\n'=P0,bend_wire\n")  # all or nothing
    assert "parts.csv, line 3: product cable has no class 'bend_wire'" in str(
        failed("import", str(table)).exception
    )
    assert decisions_and_labels(engine) == counts


def test_a_part_whose_pictures_are_purged_is_decided_all_the_same(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    settings, _ = plant
    engine = engine_for(settings.database_url)
    old = datetime.now(UTC) - timedelta(days=20)
    waits = a_record(
        part="Waits", verdict=Verdict.REVIEW, defect_class=None, captured_at=old, decided_at=old
    )
    commit_inspections(engine, [waits], UTC)
    with transaction(engine) as connection:
        keep_views(connection, table_of(Inspection).c.id == waits.id)
        connection.execute(delete(Inspection).where(Inspection.id == waits.id))
    table = tmp_path / "parts.csv"
    table.write_text("part,label\nWaits,bent_wire\n")
    assert run("import", str(table)).startswith("1 decisions on parts, 0 labels on pictures\n")
    part = stored_parts(engine)["Waits", "", 1]
    assert (part["disposition"], part["classes"], part["decided_by"]) == (
        "nonconforming",
        "bent_wire",
        "person",
    )


def test_a_pass_may_be_named(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    settings, _ = plant
    commit_inspections(engine_for(settings.database_url), [a_record(part="Alone")], UTC)
    table = tmp_path / "parts.csv"
    table.write_text("part,label,pass\nAlone,good,\nAlone,bent_wire,2\n")
    said = run("import", str(table))
    assert said.startswith("2 decisions on parts, 1 labels on pictures\n")
    assert "1 of the parts have several pictures or none, or a pass was named" in said
    held = rows("decisions", "cable")
    assert {(row["pass"], row["class"]) for row in held} == {(None, None), (2, "bent_wire")}
    for wrong in ("0", "1e3", "9" * 5000):
        table.write_text(f"part,label,pass\nAlone,good,{wrong}\n")
        assert "parts.csv, line 2: pass" in str(failed("import", str(table)).exception)


def test_a_parts_name_is_its_products_own(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    settings, _ = plant
    engine = engine_for(settings.database_url)
    committed(
        engine, products.register, spec_of("good", "worn").model_copy(update={"product": "plug"})
    )
    cable, plug = (a_record(part="SN-1", product=name, image_uri="/u") for name in NAMES)
    commit_inspections(engine, [cable, plug], UTC)
    table = tmp_path / "parts.csv"
    table.write_text("part,label\nSN-1,good\n")
    assert "cable and plug both have a part 'SN-1'" in str(failed("import", str(table)).exception)
    run("import", str(table), "--product", "plug")
    assert labels.latest(engine, "plug") == {plug.id: "good"}
    table.write_text("part,product,label\nSN-1,cable,bent_wire\nSN-1,plug,worn\n")
    run("import", str(table))
    assert labels.latest(engine, "plug") == {plug.id: "worn"}
    assert labels.latest(engine, "cable")[cable.id] == "bent_wire"
    table.write_text("uri,product,label\n/u,plug,good\n/u,cable,good\n")
    run("import", str(table))
    assert labels.latest(engine, "plug") == {plug.id: "good"}
    assert labels.latest(engine, "cable")[cable.id] == "good"
    table.write_text(f"id,product,label\n{plug.id},cable,good\n")
    assert "is of product plug, not of cable" in str(failed("import", str(table)).exception)
    assert "no product is called 'plg'; did you mean 'plug'" in str(
        failed("import", str(table), "--product", "plg").exception
    )


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfpart;label\r\nrepl-0;good\r\nM\xc3\xbcller;good\r\n",  # excel-de.csv
        b"part,label\r\nrepl-0,good\r\nM\xfcller,good\r\n",  # excel-ansi.csv
        "part\tlabel\r\nrepl-0\tgood\r\nMüller\tgood\r\n".encode("utf-16"),  # excel-unicode.txt
        b"sep=;\r\npart;label\r\nrepl-0;good\r\nM\xc3\xbcller;good\r\n",  # sep.csv
        b"Part,Label\r\nrepl-0,good\r\nM\xc3\xbcller,good\r\n",  # capital.csv
        b"part, label\r\nrepl-0, good\r\nM\xc3\xbcller, good\r\n,\r\n",  # trailing.csv
    ],
)
def test_tables_of_spreadsheet_programs_are_imported(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path, data: bytes
) -> None:
    settings, _ = plant
    engine = engine_for(settings.database_url)
    parts = [a_record(part=name) for name in ("repl-0", "Müller")]
    commit_inspections(engine, parts, UTC)
    table = tmp_path / "labels.csv"
    table.write_bytes(data)
    said = run("import", str(table))
    assert said.startswith("2 decisions on parts, 2 labels on pictures\n")
    assert ("was read as Windows-1252" in said) == (b"\xfc" in data and b"\0" not in data)
    held = labels.latest(engine, "cable")
    assert [held[part.id] for part in parts] == ["good", "good"]


def test_what_is_not_known_names_its_line_and_the_nearest(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    table = tmp_path / "labels.csv"
    for text, words in [
        ("part,label\nP1,good\n", "line 2: no inspected picture has part 'P1'; did you mean '=P1"),
        ("part,label\n4.71E+11,good\n", "a spreadsheet has rounded it, so make that column text"),
        ("id,label\n17,good\n", "line 2: '17' is no picture's id"),
        ("uri,label\n\n/none.png,good\n", "line 3: no inspected picture has uri '/none.png'"),
        ("Part,Label\n'=P0,Good\n", "has no class 'Good'; it has .*; did you mean 'good'?"),
    ]:
        table.write_text(text)
        assert re.search(words, str(failed("import", str(table)).exception))
    table.write_bytes("part,label\nMüller,good\n".encode("mac_roman"))
    assert "was read as Windows-1252" in str(failed("import", str(table)).exception)
    (tmp_path / "sorted" / "bad").mkdir(parents=True)
    (tmp_path / "sorted" / "bad" / "x.png").write_bytes(b"picture 0")
    said = str(failed("import", str(tmp_path / "sorted")).exception)
    assert "x.png: product cable has no class 'bad'" in said


def test_errors_are_one_sentence(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    _, records = plant
    for verb in ("list", "history", "decisions", "disagreements", "suspects", "advice", "export"):
        assert "no product is called 'cabel'; did you mean 'cable'?" in str(
            failed(verb, "cabel").exception
        )
    bad = tmp_path / "bad.csv"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for time, words in [
        ("soon", "is no time"),
        ("2026-01-01", "no time zone"),
        ("31.05.2026 14:00", "is no time; write 2026-05-31T14:00"),
        ("46143.58", "is no time"),  # how a spreadsheet counts days
        ("0001-01-01T00:00:00+14:00", "is no time"),  # before the first instant there is
        (tomorrow, "future"),
    ]:
        bad.write_text(f"id,label,labelled_at\n{records[0].id},good,{time}\n")
        assert f"bad.csv, line 2: {time!r}" in str(failed("import", str(bad)).exception)
        assert words in str(failed("import", str(bad)).exception)
    assert "is no split" in str(failed("export", "cable", "--split", "1,2").exception)
    lost = tmp_path / "none" / "x.csv"
    assert "cannot be written" in str(failed("export", "cable", "--out", str(lost)).exception)


def test_a_table_that_contradicts_itself_stores_nothing(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    """Which of two lines holds would depend on their order: nobody chose that."""
    settings, (first, *_) = plant
    engine = engine_for(settings.database_url)
    before = decisions_and_labels(engine)
    table = tmp_path / "labels.csv"
    for text in (
        f"id,label\n{first.id},good\n{first.id},bent_wire\n",
        "part,label\n=P3,good\n=P3,bent_wire\n",
        f"id,label,labelled_by\n{first.id},good,eva\n{first.id},bent_wire,eva\n",
    ):
        table.write_text(text)
        said = str(failed("import", str(table)).exception)
        assert "line 3: 'bent_wire' contradicts 'good' of" in said
        assert "line 2" in said
    assert decisions_and_labels(engine) == before
    twice = f"id,label\n{first.id},good\n{first.id},good\n"
    two_people = f"id,label,labelled_by\n{first.id},good,eva\n{first.id},bent_wire,max\n"
    times = ("2026-05-01T08:00:00Z", "2026-05-02T08:00:00Z")
    history = f"id,label,labelled_at\n{first.id},good,{times[0]}\n{first.id},bent_wire,{times[1]}\n"
    for text, stored in ((twice, 1), (two_people, 2), (history, 2)):
        table.write_text(text)
        assert run("import", str(table)) == f"{stored} labels stored\n"

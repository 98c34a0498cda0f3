"""`linewatch labels export`: a table, COCO, and a tree of pictures."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import UTC
from pathlib import Path

from click.testing import CliRunner

from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.labels import history as label_history
from db.labels import labels
from db.labels.labels import NewLabel
from db.session import engine_for
from linewatch.cli import cli
from linewatch.settings import Settings
from tests.support.committed import committed
from tests.support.label_commands import KINDS, failed, run
from tests.support.records import a_record


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

"""`linewatch labels`, as typed: what goes out, what comes back, and what people are shown."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from db import label_history, labels, products
from db.inspections import commit_inspections
from db.labels import NewLabel
from db.records import InspectionRecord, StoredFeatures
from db.session import engine_for
from linewatch.cli import cli
from linewatch.errors import LabelError
from linewatch.products import load_product, product_files
from linewatch.settings import Settings
from tests.support.records import NOON, a_record
from vision.decode import digest

KINDS = ("good", "bent_wire", "cable_swap")


@pytest.fixture
def plant(
    make_settings: Callable[..., Settings], database_url: str, tmp_path: Path
) -> tuple[Settings, list[InspectionRecord]]:
    """36 labelled cables with pictures and features that tell their classes apart."""
    from db import feature_spaces

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    settings = make_settings(database_url=database_url, image_roots=[pictures])
    engine = engine_for(database_url)
    products.register(engine, load_product(next(p for p in product_files() if p.stem == "cable")))
    feature_spaces.register(engine, "f1", encoders="test", dim=8)
    rng, records = np.random.default_rng(0), []
    for number in range(36):
        path = pictures / f"{number:02}.PNG"
        path.write_bytes(b"picture %d" % number)
        vector = (rng.normal(size=8) + 5 * np.eye(8)[number % 3]).astype("<f2")
        records.append(
            a_record(
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
    labels.add_labels(engine, said)
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
    assert isinstance(result.exception, LabelError), result.output
    return result


def test_a_csv_export_runs_in_no_spreadsheet_and_comes_back_as_it_was(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    settings, records = plant
    engine = engine_for(settings.database_url)
    labels.add_labels(engine, [NewLabel(records[0].id, "combined", "=cmd()", "web", note="@x")])
    out = tmp_path / "labels.csv"
    run("export", "cable", "--out", str(out))
    found = list(csv.DictReader(io.StringIO(out.read_text())))
    (row,) = (row for row in found if row["id"] == str(records[0].id))
    assert (row["label"], row["labelled_by"], row["note"]) == ("combined", "'=cmd()", "'@x")
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
    labels.add_labels(engine, [NewLabel(stray.id, "good", "ann")])
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


def test_history_and_disagreements(plant: tuple[Settings, list[InspectionRecord]]) -> None:
    settings, records = plant
    engine, first, second = engine_for(settings.database_url), records[0], records[1]
    assert rows("disagreements", "cable") == []
    later = datetime.now(UTC)
    labels.add_labels(engine, [NewLabel(first.id, "combined", "bob", labelled_at=later)])
    labels.add_labels(engine, [NewLabel(second.id, "combined", "ann", labelled_at=later)])
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
    labels.add_labels(engine, [NewLabel(records[3].id, "cable_swap", "eve")])  # it is "good"
    found = rows("suspects", "cable")
    assert found[0]["picture"] == str(records[3].id)
    assert (found[0]["label"], found[0]["suggested"]) == ("cable_swap", "good")
    advice = {row["class"]: row for row in rows("advice", "cable", "--target", "0.8")}
    assert set(advice) == set(KINDS)
    assert advice["good"]["more_labels"] == 0


def test_errors_are_one_sentence(
    plant: tuple[Settings, list[InspectionRecord]], tmp_path: Path
) -> None:
    _, records = plant
    for verb in ("list", "history", "disagreements", "suspects", "advice", "export"):
        assert "no product is called 'plug'" in str(failed(verb, "plug").exception)
    bad = tmp_path / "bad.csv"
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for time, words in [
        ("soon", "is no time"),
        ("2026-01-01", "no time zone"),
        (tomorrow, "future"),
    ]:
        bad.write_text(f"id,label,labelled_at\n{records[0].id},good,{time}\n")
        assert words in str(failed("import", str(bad)).exception)
    assert "is no split" in str(failed("export", "cable", "--split", "1,2").exception)
    lost = tmp_path / "none" / "x.csv"
    assert "cannot be written" in str(failed("export", "cable", "--out", str(lost)).exception)

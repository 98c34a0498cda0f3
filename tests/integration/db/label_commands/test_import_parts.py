"""`linewatch labels import` of what was said of parts, which may have several pictures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete

from db import audit, products
from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.labels import labels
from db.parts.purged import keep_views
from db.session import engine_for, transaction
from db.tables import Inspection
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.bench import spec_of
from tests.support.committed import committed
from tests.support.label_commands import decisions_and_labels, failed, rows, run
from tests.support.part_facts import stored_parts
from tests.support.records import a_record

NAMES = ("cable", "plug")


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

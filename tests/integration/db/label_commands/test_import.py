"""`linewatch labels import`: tables as programs write them, and what is told of wrong ones."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.labels import labels
from db.session import engine_for
from linewatch.settings import Settings
from tests.support.label_commands import decisions_and_labels, failed, run
from tests.support.records import a_record


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

"""From drawn parts over blind answers to the true rate, as people do it."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.labels import decisions, labels
from db.session import transaction
from linewatch.cli import cli
from linewatch.errors import LinewatchError
from linewatch.settings import Settings
from producer.contract import Verdict
from quality.audit.estimators import truth
from quality.audit.sample import Said, Stratum
from tests.integration.db.audit_sample.test_drawing import SEED, know_the_seed, value
from tests.support.part_facts import DAY, PRODUCT, a_plant
from tests.support.records import a_record

SHARE = 0.4


@pytest.fixture
def settings(make_settings: Callable[..., Settings], database_url: str) -> Settings:
    return make_settings(database_url=database_url, plant_timezone="UTC")


def typed(*arguments: str) -> str:
    found = CliRunner().invoke(cli, list(arguments))
    assert found.exit_code == 0, (found.output, found.exception)
    return found.output


def refused(*arguments: str) -> str:
    found = CliRunner().invoke(cli, list(arguments))
    assert isinstance(found.exception, LinewatchError), found.output
    return str(found.exception)


def report(*arguments: str) -> dict[str, Any]:
    found = CliRunner().invoke(cli, ["report", "audit", *arguments, "--format", "json"])
    assert found.exit_code == 0, found.exception
    (row,) = json.loads(found.stdout)
    return {**row, "notes": found.stderr}


def made(engine: Engine, count: int, share: float = SHARE) -> dict[str, InspectionRecord]:
    """Parts of one picture each, by serial number, or by id where they have none."""
    a_plant(engine, **({"audit_share": share} if share else {}))
    know_the_seed(engine)
    rng, found = random.Random(1), {}
    for number in range(count):
        verdict = rng.choice([Verdict.PASS] * 8 + [Verdict.DEFECT] * 3 + [Verdict.REVIEW])
        one = a_record(
            id=UUID(int=rng.getrandbits(128), version=4),
            product=PRODUCT,
            part=f"S-{number}" if number % 4 else None,
            verdict=verdict,
            defect_class={"pass": "ok", "defect": "bent"}.get(verdict.value),
            image_uri=f"/pictures/{number}.png",
            captured_at=DAY + timedelta(seconds=number),
            decided_at=DAY + timedelta(seconds=number + 1),
            probabilities=None,
        )
        found[one.part or str(one.id)] = one
    commit_inspections(engine, list(found.values()), UTC)
    return found


def is_bad(record: InspectionRecord) -> bool:
    """What parts really are: the model errs on some of either kind."""
    errs = record.id.int % 10 == 0
    return (record.verdict is Verdict.DEFECT) != errs


def drawn(parts: dict[str, InspectionRecord]) -> set[str]:
    """Which parts should be in the sample."""
    return {
        name
        for name, one in parts.items()
        if one.verdict is not Verdict.REVIEW
        and value((one.part or "", "" if one.part else name, 1), SEED) < SHARE
    }


def listed(tmp_path: Path, *arguments: str) -> list[dict[str, str]]:
    text = typed("audit-sample", "list", "--format", "csv", *arguments)
    return list(csv.DictReader(StringIO(text)))


def answered(tmp_path: Path, rows: list[dict[str, str]]) -> str:
    path = tmp_path / "audit.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


def named(row: dict[str, str], parts: dict[str, InspectionRecord]) -> InspectionRecord:
    (one,) = (p for p in parts.values() if p.image_uri == row["pictures"])
    assert (row["part"] or None) == one.part
    return one


def test_the_list_is_blind_and_the_report_is_what_the_answers_say(
    settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    parts = made(engine, 240)
    rows = listed(tmp_path)
    assert {named(row, parts).part or str(named(row, parts).id) for row in rows} == drawn(parts)
    times = [row["made_at"] for row in rows]
    assert times != sorted(times)
    said = [word for word in ("conforming", "bent", "pass,", "defect", "m-1") if word in str(rows)]
    assert said == [], "the list tells"
    for row in rows[10:]:
        row["label"] = "burnt" if is_bad(named(row, parts)) else "ok"
    typed("audit-sample", "import", answered(tmp_path, rows), "--by", "eve")
    assert len(listed(tmp_path)) == 10
    review = [one for one in parts.values() if one.verdict is Verdict.REVIEW and one.part]
    with transaction(engine) as connection:
        for one in review[:5]:
            decisions.add(connection, [decisions.NewDecision(PRODUCT, str(one.part), "bent", "a")])

    strata = []
    for kind, verdict in ((Said.CONFORMING, Verdict.PASS), (Said.NONCONFORMING, Verdict.DEFECT)):
        of = [one for one in parts.values() if one.verdict is verdict]
        mine = [named(row, parts) for row in rows if named(row, parts) in of]
        open_ = [named(row, parts) for row in rows[:10]]
        told = [one for one in mine if one not in open_]
        bad = sum(is_bad(one) for one in told)
        strata.append(Stratum(kind, len(of), SHARE, len(mine), len(told), bad))
    expected = truth(strata, 5, 5)
    found = report("--product", PRODUCT)
    assert found["rate"] == pytest.approx(expected.nonconforming.rate)
    assert found["rate_low"] == pytest.approx(expected.nonconforming.rate_low)
    assert found["rate_high"] == pytest.approx(expected.nonconforming.rate_high)
    assert expected.escapes is not None
    assert expected.overkill is not None
    assert found["escapes"] == pytest.approx(expected.escapes.count, abs=0.06)
    assert found["overkill"] == pytest.approx(expected.overkill.count, abs=0.06)
    assert (found["drawn"], found["unanswered"]) == (len(rows), 10)
    assert "10 of" in found["notes"]


def test_an_answer_decides_its_part_and_the_estimate_stays(
    settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    """Escapes are found and decided; the model's own word stays what the figure is made from."""
    parts = made(engine, 60)
    rows = listed(tmp_path)
    for row in rows:
        row["label"] = "burnt" if is_bad(named(row, parts)) else "ok"
    typed("audit-sample", "import", answered(tmp_path, rows), "--by", "eve")
    before = report()
    told = {one.part: one for one in decisions.history(engine, PRODUCT)}
    assert {one.source for one in told.values()} == {"audit"}
    assert {one.decided_by for one in told.values()} == {"eve"}
    for row in rows:
        one = named(row, parts)
        if one.part:
            assert told[one.part].defect_class == ("burnt" if is_bad(one) else None)
        else:
            assert labels.latest(engine, PRODUCT)[one.id] == ("burnt" if is_bad(one) else "ok")
    found = json.loads(typed("report", "defect-rate", "--format", "json"))
    assert sum(row["by_person"] for row in found) == len(rows)
    with transaction(engine) as connection:  # somebody thinks otherwise: no answer of the audit
        part = next(row["part"] for row in rows if row["part"])
        decisions.add(connection, [decisions.NewDecision(PRODUCT, part, "bent", "bob")])
    assert report() == before


def test_answers_that_cannot_be(settings: Settings, engine: Engine, tmp_path: Path) -> None:
    parts = made(engine, 60)
    (row, *_) = [row for row in listed(tmp_path) if row["part"]]
    for change, words in (
        ({"label": "bnet"}, "no class 'bnet'; it has ok, bent, burnt; did you mean 'bent'?"),
        ({"label": "ok", "id": "x"}, "line 2: no drawn part has the id 'x'"),
    ):
        assert words in refused("audit-sample", "import", answered(tmp_path, [{**row, **change}]))
    other = next(one.part for name, one in parts.items() if one.part and name not in drawn(parts))
    path = tmp_path / "parts.csv"
    path.write_text(f"part,label\n{other},ok\n")
    assert f"no drawn part has the part {other!r}" in refused("audit-sample", "import", str(path))
    path.write_text(f"part,label\n{row['part']},ok\n{row['part']},bent\n")
    assert "contradicts 'ok'" in refused("audit-sample", "import", str(path))
    path.write_text("part,answer\nS-1,ok\n")
    assert "needs a 'label' column" in refused("audit-sample", "import", str(path))
    assert "no product is called 'plog'; did you mean 'plug'?" in refused(
        "report", "audit", "--product", "plog"
    )
    assert len(listed(tmp_path)) == len(drawn(parts))
    assert "none of the" in report()["notes"]


def test_later_answers_count(settings: Settings, engine: Engine, tmp_path: Path) -> None:
    parts = made(engine, 60)
    rows = [row for row in listed(tmp_path) if named(row, parts).verdict is Verdict.PASS]
    at = datetime.now(UTC) - timedelta(hours=2)
    for label, hours in (("bent", 1), ("ok", 0)):
        told = [
            {**r, "label": label, "labelled_at": (at + timedelta(hours=hours)).isoformat()}
            for r in rows
        ]
        typed("audit-sample", "import", answered(tmp_path, told))
    assert report()["escapes"] == len(
        [one for one in parts.values() if one.verdict is Verdict.PASS]
    )


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_share_of_none_and_of_all(
    settings: Settings, engine: Engine, tmp_path: Path, share: float
) -> None:
    parts = made(engine, 80, share)
    rows = listed(tmp_path)
    decided = [one for one in parts.values() if one.verdict is not Verdict.REVIEW]
    if share:
        for row in rows:
            row["label"] = "bent" if is_bad(named(row, parts)) else "ok"
        typed("audit-sample", "import", answered(tmp_path, rows))
        found, bad = report(), sum(map(is_bad, decided)) / len(decided)
        assert (found["rate"], found["rate_low"], found["rate_high"]) == (bad, bad, bad)
        return
    assert rows == []
    assert "no labelled or golden part is bad, so nothing says how" in report()["notes"]
    with transaction(engine) as connection:
        for one in decided:
            if one.part:
                label = "bent" if is_bad(one) else "ok"
                decisions.add(connection, [decisions.NewDecision(PRODUCT, one.part, label, "a")])
    found = report()
    assert found["method"] == "rogan-gladen"
    assert found["drawn"] == 0
    assert found["rate_low"] < found["rate"] < found["rate_high"]
    assert "labels are no random sample" in found["notes"]


@pytest.mark.parametrize("range_", [(), ("--since", DAY.isoformat())], ids=["all", "since"])
def test_parts_of_before_the_audit_are_in_no_figure(
    settings: Settings, engine: Engine, range_: tuple[str, ...]
) -> None:
    a_plant(engine, audit_share=1.0)
    know_the_seed(engine, since=DAY + timedelta(hours=1))
    for hours, verdict in ((0, Verdict.DEFECT), (2, Verdict.PASS)):
        at = DAY + timedelta(hours=hours)
        usual = {"product": PRODUCT, "captured_at": at, "decided_at": at, "probabilities": None}
        records = [
            a_record(part=f"{hours}-{n}", verdict=verdict, defect_class="bent", **usual)
            for n in range(10)
        ]
        commit_inspections(engine, records, UTC)
    found = report(*range_)
    assert (found["parts"], found["drawn"], found["unanswered"]) == (10, 10, 10)
    assert "none of the 10 parts drawn for the audit is answered yet" in found["notes"]
    assert "10 parts were made while none was drawn, and are in no figure" in found["notes"]
    assert report("--until", (DAY + timedelta(hours=1)).isoformat())["drawn"] == 0


def test_an_answer_is_no_word_on_a_newer_part_of_the_same_serial_number(
    settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    """A decision names no lot: it would be on the newer part."""
    a_plant(engine, audit_share=1.0, serial_unique_within="lot")
    know_the_seed(engine)
    for lot, hours in (("L-1", 0), ("L-2", 5)):
        at = DAY + timedelta(hours=hours)
        times = {"captured_at": at, "decided_at": at, "image_uri": f"/{lot}.png"}
        one = a_record(product=PRODUCT, part="S", lot=lot, probabilities=None, **times)
        commit_inspections(engine, [one], UTC)
    old, new = sorted(listed(tmp_path), key=lambda row: row["pictures"])
    for row in (old, new):
        path = answered(tmp_path, [{**row, "label": "bent"}])
        said = typed("audit-sample", "import", path)
        assert ("keep their disposition" in said) == (row is old)
    assert [one.defect_class for one in decisions.history(engine, PRODUCT)] == ["bent"]
    assert report()["escapes"] == 2
    (path := tmp_path / "part.csv").write_text("part,label\nS,bent\n")
    assert "was drawn more than once (2 passes of it)" in refused(
        "audit-sample", "import", str(path)
    )

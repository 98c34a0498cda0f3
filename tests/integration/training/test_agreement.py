"""The attribute agreement study of golden parts, and of a table of trials."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner

from db.labels import decisions, golden_members, labels
from db.review.deciding import NewWord, decide
from db.review.standing import standing
from db.review.taking_back import take_back
from db.session import engine_for, transaction
from linewatch.cli import cli
from linewatch.errors import LinewatchError
from linewatch.settings import Settings
from producer.contract import Verdict
from quality.audit.draw import PassName
from quality.intervals.exact import clopper_pearson
from tests.support.bench import CODES, Bench
from tests.support.committed import committed
from training.agreement.rows import blank_row


@pytest.fixture
def bench(make_settings: Callable[..., Settings], database_url: str) -> Bench:
    settings = make_settings(review_below="0.0", database_url=database_url, plant_timezone="UTC")
    return Bench(engine_for(database_url), settings)


def rows(*arguments: str) -> dict[str, dict[str, Any]]:
    found = CliRunner().invoke(
        cli, ["report", "agreement", "--product", "cable", *arguments, "--format", "json"]
    )
    assert found.exit_code == 0, (found.output, found.exception)
    return {row["appraiser"]: {**row, "notes": found.stderr} for row in json.loads(found.stdout)}


def refused(*arguments: str) -> str:
    found = CliRunner().invoke(cli, ["report", "agreement", "--product", "cable", *arguments])
    assert isinstance(found.exception, LinewatchError), found.output
    return str(found.exception)


def golden(bench: Bench, code: str, part: str, looks: str | None = None, **more: Any) -> UUID:
    (id_,) = bench.pictures(code, 1, part=part, looks=looks, label=False, **more)
    committed(bench.engine, golden_members.add, "cable", "g", {id_: code}, by="ann")
    return id_


def said(bench: Bench, who: str, id_: UUID, code: str, minutes: int = 0) -> None:
    at = datetime.now(UTC) + timedelta(minutes=minutes) - timedelta(hours=1)
    committed(bench.engine, labels.add_labels, [labels.NewLabel(id_, code, who, labelled_at=at)])


def test_people_and_the_model_on_golden_parts(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 6, part=None)
    version = bench.champion()
    bad = [golden(bench, "bent", f"B-{n}", model_version="other") for n in range(4)]
    good = [golden(bench, "good", f"G-{n}", model_version="other") for n in range(4)]
    golden(bench, "cut", "C-0", looks="good", model_version="other")  # the model misses it
    bare = golden(bench, "good", "N-0", model_version="other", prints=())
    now = datetime.now(UTC)
    study = {"purpose": "study", "model_version": version, "label": False}
    bench.pictures("bent", 1, part="B-0", verdict=Verdict.DEFECT, defect_class="cut", **study)
    bench.pictures("bent", 1, part="not golden", verdict=Verdict.PASS, **study)

    for who, misses in (("eve", 1), ("bob", 0)):
        for place, id_ in enumerate(bad):
            said(bench, who, id_, "good" if place < misses else "bent")
        for id_ in good:
            said(bench, who, id_, "good")
    for place, id_ in enumerate(bad[:3]):
        said(bench, "eve", id_, "bent", minutes=5 + place)
    for n in range(3):
        committed(
            bench.engine,
            decisions.add,
            [decisions.NewDecision("cable", f"G-{n}", "good", "eve", decided_at=now)],
        )

    found = rows()
    model = found[version]
    assert (model["parts"], model["trials"]) == (9, 1)
    assert model["effectiveness"] == pytest.approx(8 / 9)
    assert model["miss_rate"] == pytest.approx(1 / 5)
    low, high = clopper_pearson(1, 5)
    assert (model["miss_rate_low"], model["miss_rate_high"]) == pytest.approx((low, high))
    assert model["false_alarm_rate"] == 0
    assert "1 golden parts were judged by others" in model["notes"]
    eve = found["eve"]  # six of her eight parts twice
    assert (eve["parts"], eve["trials"]) == (6, 2)
    assert eve["effectiveness"] == pytest.approx(11 / 12)
    assert eve["miss_rate"] == pytest.approx(1 / 6)
    assert eve["repeatability"] == pytest.approx(5 / 6)
    assert (found["bob"]["parts"], found["bob"]["trials"], found["bob"]["kappa"]) == (8, 1, 1)
    assert found["bob"]["acceptance"] == "acceptable"
    assert found["eve / bob"]["kind"] == "pair"
    assert (found["eve / bob"]["parts"], found["all"]["parts"]) == (8, 8)
    assert found["all"]["always_right"] == pytest.approx(7 / 8)
    assert bare


def test_a_word_in_the_console_is_one_trial_and_none_once_taken_back(bench: Bench) -> None:
    """It is a decision on the part and a label on its one picture."""
    for part in ("B-0", "B-1"):
        golden(bench, "bent", part)

    def decided(part: str, code: str, who: str) -> str:
        with transaction(bench.engine) as connection:
            name = PassName("cable", part, "", 1)
            revision = standing(connection, name).revision
            return decide(connection, NewWord(name, code, who, revision)).revision

    for part in ("B-0", "B-1"):
        decided(part, "bent", "eve")
    revision = decided("B-0", "good", "bob")
    with transaction(bench.engine) as connection:  # what eve said holds again
        take_back(connection, PassName("cable", "B-0", "", 1), "bob", revision)
    found = rows()
    assert (found["eve"]["parts"], found["eve"]["trials"]) == (2, 1)
    assert found["eve"]["repeatability"] is None
    assert "bob" not in found
    decided("B-0", "bent", "bob")
    assert (rows()["bob"]["trials"], rows()["bob"]["effectiveness"]) == (1, 1)


def test_a_table_of_trials(bench: Bench, tmp_path: Path) -> None:
    golden(bench, "bent", "B-0")
    path = tmp_path / "trials.csv"
    lines = ["appraiser,part,trial,said,reference"]
    for who in ("a", "m"):
        for trial in (1, 2):
            lines += [f"{who},B-0,{trial},bent,", f"{who},X,{trial},good,good"]
    path.write_text("\n".join(lines) + "\n")
    found = rows("--csv", str(path))
    assert {name: row["trials"] for name, row in found.items()} == dict.fromkeys(
        ("a", "m", "a / m", "all"), 2
    )
    assert all(list(row) == [*blank_row(), "notes"] for row in found.values())
    assert found["a"]["repeatability"] == found["a"]["effectiveness"] == 1
    for line, words in (
        ("a,B-0,3,bnet,", "line 10: there is no class 'bnet'"),
        ("a,B-0,x,bent,", "trial 'x' is no number from 1"),
        ("a,B-0,3,,", "the said is missing"),
        ("a,Y,1,bent,", "nothing says what part 'Y' is"),
        ("a,X,1,bent,bent", "part 'X' was another class above"),
        ("a,B-0,3,bent,", "has not rated 1 of 2 parts in trial 3"),
    ):
        path.write_text("\n".join([*lines, line]) + "\n")
        assert words in refused("--csv", str(path))
    path.write_text("who,what\n1,2\n")
    assert "appraiser, part, trial, said is missing" in refused("--csv", str(path))


def test_what_it_needs(bench: Bench) -> None:
    assert "cable has no golden set; add pictures" in refused()
    golden(bench, "bent", "B-0")
    assert "cable has no golden set 'h'" in refused("--set", "h")
    assert "no version is called 'ghost'" in refused("--version", "ghost")
    assert rows() == {}

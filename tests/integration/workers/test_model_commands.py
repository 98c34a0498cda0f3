"""`linewatch models`, `train`, `replay` and `report shadow`, as typed."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from db import products
from db.inspections import inspections
from db.inspections.records import ShadowJudgement
from db.labels import labels
from db.models import deployments
from db.session import engine_for, reading
from db.tables import Inspection
from linewatch.cli import cli
from linewatch.errors import LinewatchError
from linewatch.products import shipped_product
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.bench import CODES, FEW_PARTS, OTHER, Bench
from tests.support.committed import committed


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code != 0, result.output
    assert isinstance(result.exception, LinewatchError | SystemExit)  # one sentence, no traceback
    return f"{result.exception} {result.output}"


@pytest.fixture
def bench(make_settings: Callable[..., Settings], sqlite_url: str) -> Bench:
    settings = make_settings(review_below="0.0", **FEW_PARTS)
    assert settings.sql_url == sqlite_url
    made = Bench(engine_for(sqlite_url), settings)
    for code in CODES:
        made.pictures(code, 9)
    return made


def test_training_by_lots_that_there_are_not_says_so(
    make_settings: Callable[..., Settings], sqlite_url: str
) -> None:
    settings = make_settings(review_below="0.0", **FEW_PARTS)
    assert settings.sql_url == sqlite_url
    made = Bench(engine_for(sqlite_url), settings)
    for code in CODES:
        made.pictures(code, 6, lot=None)
    said = "warning: no picture of cable has a lot: it is split by part"
    assert said in run("train", "cable", "--group-by", "lot")
    assert said not in run("train", "cable")
    make_settings(review_below="0.0", group_by="lot", **FEW_PARTS)
    assert said in run("labels", "advice", "cable")
    assert said not in run("labels", "list", "cable")


def test_from_training_to_rollback(bench: Bench) -> None:
    said = run("train", "cable", "--promote")
    assert "the gate says first:\n  there is no champion to compare with" in said
    assert "100% " not in said
    assert " 10% cross-validation" in said
    assert "9 good parts are too few to tell what is unlike them: with 10" in said
    first = deployments.champion(bench.engine, "cable")
    assert first is not None
    assert "the gate says passed:\n  folds: no worse: at the same" in run(
        "train", "cable", "--promote"
    )
    second = deployments.champion(bench.engine, "cable")
    assert second not in (None, first)
    assert f"{first} serves cable again" in run("models", "rollback", "cable")
    assert f"{second} now serves cable" in run("models", "promote", str(second))

    listed = run("models", "list")
    assert listed.index(str(second)) < listed.index(first)
    rows = json.loads(run("models", "decisions", "--format", "json"))
    assert [row["outcome"] for row in rows] == ["passed", "passed", "first"]
    assert rows[1]["champion"] == first
    runs = json.loads(run("models", "runs", "cable", "--format", "json"))
    assert [(row["state"], row["progress"]) for row in runs] == [("succeeded", "100%")] * 2
    assert "checksums agree" in run("models", "verify", first)
    assert json.loads(run("models", "show", first))["kind"] == "fitted"


def test_compare_prints_both_and_the_paired_test(bench: Bench) -> None:
    first, second = (bench.train().manifest.version for _ in range(2))
    said = run("models", "compare", first, second)
    assert "recall of bent" in said
    assert "exact McNemar p = 1" in said
    assert "the gate would say passed" in said
    text = CliRunner().invoke(cli, ["models", "compare", first, second, "--format", "json"]).stdout
    rows = json.loads(text)
    assert {row["measure"] for row in rows} >= {"accuracy", "macro f1", "escapes"}
    assert "no version is called" in refused("models", "compare", first, "ghost")


def test_promotion_against_the_gate_needs_a_reason(bench: Bench) -> None:
    bench.champion()
    latest = labels.latest(bench.engine, "cable")
    bench.label([id_ for id_, label in latest.items() if label == "bent"], "good")
    bad = bench.train().manifest.version
    assert "the gate says failed: it no longer knows bent" in refused("models", "promote", bad)
    assert "--force needs --why" in refused("models", "promote", bad, "--force")
    assert bad in run("models", "promote", bad, "--force", "--why", "a trial")
    said = refused("train", "cable", "--promote", "--few-shot")
    assert "linewatch models zero-shot cable" in said


def test_shadow_and_its_report(bench: Bench) -> None:
    assert "has no shadow" in refused("report", "shadow", "cable")
    champion, shadow = bench.champion(), bench.train().manifest.version
    assert "in the champion's shadow" in run("models", "shadow", shadow)
    assert "both judged nothing yet" in run("report", "shadow", "cable")
    judged = ShadowJudgement(shadow, Verdict.DEFECT, None, {"good": 0.2, "bent": 0.8})
    bench.pictures("bent", 4, model_version=champion, shadow=judged)
    said = run("report", "shadow", "cable", "--since", "1h")
    assert "4 labelled: accuracy 0.000 and 1.000, escapes 4 and 0" in said
    assert "☆" in run("models", "list")
    assert "no shadow any more" in run("models", "shadow", "--off", "cable")
    assert "give a VERSION" in refused("models", "shadow")


def test_replay_judges_again_and_writes_nothing(bench: Bench) -> None:
    version = bench.champion()
    old = datetime.now(UTC) - timedelta(days=3)
    (wrong,) = bench.pictures("bent", 1, part="SN-1", label=False)  # judged `pass` by cable-1
    bench.pictures("good", 1, part="SN-1", prints=(), label=False)
    bench.pictures("cut", 2, part="=SUM(1)", decided_at=old, label=False)
    before = inspections.by_part(bench.engine, "SN-1")

    result = CliRunner().invoke(cli, ["replay", "--part", "SN-1", "--format", "json"])
    (row,) = json.loads(result.stdout)
    assert (row["id"], row["old_version"], row["old_verdict"]) == (str(wrong), "cable-1", "pass")
    assert (row["new_verdict"], row["new_class"], row["changed"]) == ("defect", "bent", True)
    assert "1 pictures have no stored features" in result.stderr
    span = ["--since", "4d", "--until", "2d", "--version", version, "--format", "csv"]
    rows = list(csv.DictReader(io.StringIO(run("replay", *span))))
    assert [(row["part"], row["new_class"]) for row in rows] == [("'=SUM(1)", "cut")] * 2
    assert inspections.by_part(bench.engine, "SN-1") == before
    with reading(bench.engine) as connection:
        count = connection.execute(select(func.count()).select_from(Inspection)).scalar_one()
    assert count == 9 * len(CODES) + 4
    everything = run("replay", "--since", "1d", "--product", "cable", "--format", "json")
    changed = run("replay", "--since", "1d", "--product", "cable", "--changed", "--format", "json")
    assert changed.count('"changed": true') == everything.count('"changed": true') > 0
    assert '"changed": false' not in changed


def test_replay_says_what_it_needs(bench: Bench) -> None:
    assert "say which pictures" in refused("replay")
    assert "no part with serial number 'SN-9'" in refused("replay", "--part", "SN-9")
    assert "say of which product" in refused("replay", "--since", "1d")
    assert "cable has no champion" in refused("replay", "--since", "1d", "--product", "cable")
    version = bench.champion()
    said = refused("replay", "--since", "1d", "--product", "plug", "--version", version)
    assert f"model {version} is for cable, not for plug" in said


def test_replay_with_a_version_of_other_features(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 3, prints=(OTHER,))
        bench.pictures(code, 3, prints=(OTHER,), part="SN-2", label=False)
    version = bench.train().manifest.version
    rows = json.loads(run("replay", "--part", "SN-2", "--version", version, "--format", "json"))
    assert len(rows) == 9


def test_replay_loads_no_torch(bench: Bench) -> None:
    bench.champion()
    bench.pictures("good", 1, part="SN-1", label=False)
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom linewatch.cli import cli\n"
        "result = CliRunner().invoke(cli, ['replay', '--part', 'SN-1'])\n"
        "assert result.exit_code == 0, result.output\n"
        "assert not {'torch', 'sklearn', 'PIL'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_zero_shot_model_of_the_product_that_ships(
    make_settings: Callable[..., Settings], sqlite_url: str, tmp_path: Path
) -> None:
    """With the encoders that are here; how well they judge is not asked."""
    make_settings(weights_dir=tmp_path / "weights", device="cpu")
    engine = engine_for(sqlite_url)
    cable = shipped_product("cable")
    committed(engine, products.register, cable)
    said = run("models", "zero-shot", "cable", "--promote")
    assert "9 classes, from prompts alone" in said
    version = deployments.champion(engine, "cable")
    assert version is not None
    manifest = json.loads(run("models", "show", version))
    assert (manifest["kind"], manifest["metrics"]) == ("zero-shot", None)
    assert manifest["classes"] == sorted(cable.class_codes)
    assert manifest["image_counts"] == dict.fromkeys(cable.class_codes, 0)
    silent = cable.model_copy(
        update={"classes": tuple(c.model_copy(update={"prompts": ()}) for c in cable.classes)}
    )
    committed(engine, products.register, silent)
    assert "has no prompts" in refused("models", "zero-shot", "cable")
    assert "no product is called" in refused("models", "zero-shot", "plug")

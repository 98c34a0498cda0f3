"""Golden pictures: compared on, and never learned from."""

from __future__ import annotations

import pytest

from db.base import table_of
from db.labels import golden_members
from db.models import gate_decisions, runs, versions
from db.session import transaction
from db.tables import GoldenItem
from linewatch.errors import TrainingError
from tests.support.bench import CODES, OTHER, PRINT, Bench
from tests.support.committed import committed
from tests.support.records import NOON
from training.retraining import retrain


def test_golden_pictures_are_never_learned_from(bench: Bench) -> None:
    ids = [i for code in CODES for i in bench.pictures(code, 6)]
    committed(bench.engine, golden_members.add, "cable", "another", {ids[0]: "good"}, by="ann")
    made = bench.train()
    assert sum(made.manifest.image_counts.values()) == len(ids) - 1
    changed = {ids[0]: "bent"}
    assert golden_members.digest({ids[0]: "good"}) != golden_members.digest(changed)


def test_golden_pictures_alone_make_no_model(bench: Bench) -> None:
    """Not even one of prompts "and labels", of which it had seen none."""
    bench.zero_shot()
    ids = [i for code in CODES for i in bench.pictures(code, 4)]
    committed(
        bench.engine, golden_members.add, "cable", "golden", dict.fromkeys(ids, "good"), by="ann"
    )
    with pytest.raises(TrainingError, match=r"all 12 labelled pictures of cable are golden.*alone"):
        bench.train()
    with pytest.raises(TrainingError, match="are golden, and no model learns from those"):
        retrain(
            bench.engine, bench.store, "cable", trigger="t", settings=bench.settings, few_shot=True
        )
    run = runs.runs(bench.engine, "cable")[0]
    assert (run.state, run.model_version) == ("failed", None)
    kinds = {info.kind for info in versions.versions(bench.engine, "cable")}
    assert kinds == {"zero-shot"}


def test_features_that_only_golden_pictures_have_do_not_choose_the_space(bench: Bench) -> None:
    """After a change of encoders the golden pictures may be the first that were read again."""
    for code in CODES:
        bench.pictures(code, 6)
    held = bench.pictures("good", 2, prints=(PRINT, OTHER))
    committed(
        bench.engine, golden_members.add, "cable", "golden", dict.fromkeys(held, "good"), by="ann"
    )
    assert bench.train().manifest.fingerprint == PRINT


def test_what_0_1_0_put_into_default_is_what_the_gate_compares_on(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 12)
    bench.champion()
    held = dict.fromkeys(bench.pictures("bent", 6, label=False), "bent")
    row = {"product": "cable", "set_name": "default", "added_at": NOON, "added_by": "ann"}
    items = [{**row, "inspection_id": id_, "label": label} for id_, label in held.items()]
    with transaction(bench.engine) as connection:
        connection.execute(table_of(GoldenItem).insert(), items)
    frozen = committed(bench.engine, golden_members.freeze, "cable", "default", by="ann")
    bench.train()
    decision = gate_decisions.newest(bench.engine, "cable")[0]
    assert decision.figures["golden"]["pictures"] == 6
    assert decision.golden_digest == frozen.digest == golden_members.digest(held)


def test_the_gate_says_which_golden_pictures_it_could_not_ask_about(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 12)
    bench.champion()
    held = bench.pictures("bent", 3, label=False) + bench.pictures("bent", 2, prints=())
    committed(
        bench.engine, golden_members.add, "cable", "golden", dict.fromkeys(held, "bent"), by="ann"
    )
    committed(
        bench.engine,
        golden_members.add,
        "cable",
        "another",
        dict.fromkeys(held[:1], "bent"),
        by="ann",
    )
    said = " ".join(bench.train().decision.reasons)
    assert "golden: 2 of the 5 pictures of 'golden' have not the features of both" in said
    assert "golden sets that were not compared on: another" in said

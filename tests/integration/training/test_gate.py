"""The gate, retraining, shadows and replay on real databases and a real store."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest

from db import audit, products
from db.base import table_of
from db.inspections import inspections
from db.inspections.records import ShadowJudgement
from db.labels import golden_members
from db.models import deployments, gate_decisions, runs, versions
from db.models.shadow import agreement
from db.session import transaction
from db.tables import GoldenItem
from linewatch.errors import LabelError, ModelError, TrainingError
from model_store.gate.gate import GateOutcome
from model_store.store import ModelStore
from producer.contract import Verdict
from tests.support.bench import CODES, OTHER, PRINT, Bench, spec_of
from tests.support.committed import committed
from tests.support.records import NOON
from training.comparison.shadow import shadow_figures
from training.retraining import retrain


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest) -> str:
    """The rules are pure and the queries plain: the short run takes SQLite."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def test_a_first_model_needs_a_person_and_its_equal_passes(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 9)
    first = bench.train(auto_promote="gate")
    assert first.decision.outcome is GateOutcome.FIRST
    assert deployments.champion(bench.engine, "cable") is None
    bench.promote(first.manifest.version)
    for code in CODES:
        bench.pictures(code, 6)
    second = bench.train(auto_promote="gate")
    assert second.decision.outcome is GateOutcome.PASSED, second.decision.reasons
    assert second.promoted
    assert deployments.champion(bench.engine, "cable") == second.manifest.version
    row = gate_decisions.newest(bench.engine, "cable")[0]
    assert (row.challenger, row.champion) == (second.manifest.version, first.manifest.version)
    assert row.outcome == "passed"
    assert row.figures["folds"]["pictures"] == 45
    assert "there is no golden set" in " ".join(row.reasons)
    deeds = [deed.action for deed in audit.newest(bench.engine)]
    assert deeds.count("model.gate") == 3  # by two runs and one command
    assert runs.runs(bench.engine, "cable")[0].progress == 1.0


def test_without_the_setting_nothing_is_promoted(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 9)
    first = bench.champion()
    again = bench.train()
    assert again.decision.passed
    assert not again.promoted
    assert deployments.champion(bench.engine, "cable") == first


def test_a_challenger_of_wrong_labels_is_refused_and_the_champion_stays(bench: Bench) -> None:
    """Labels that call defects good teach a model to let them pass."""
    made_of = {code: bench.pictures(code, 12) for code in CODES}
    champion = bench.champion()
    held = dict.fromkeys(bench.pictures("bent", 10, label=False), "bent")
    held |= dict.fromkeys(bench.pictures("good", 10, label=False), "good")
    committed(bench.engine, golden_members.add, "cable", "golden", held, by="ann")
    bench.pictures("good", 40, looks="bent")
    bench.label(made_of["bent"][:10], "good")
    made = bench.train(auto_promote="gate")
    assert made.decision.outcome is GateOutcome.FAILED
    assert any(
        r.startswith("golden: the promise is broken: by its own thresholds")
        for r in made.decision.reasons
    )
    assert deployments.champion(bench.engine, "cable") == champion
    version = made.manifest.version
    with pytest.raises(ModelError, match=r"golden: the promise is broken.*--force --why"):
        bench.promote(version)
    assert deployments.champion(bench.engine, "cable") == champion
    bench.promote(version, force=True, why="a trial")
    assert deployments.champion(bench.engine, "cable") == version
    assert "against the gate: failed" in deployments.history(bench.engine, "cable")[0].why
    assert gate_decisions.newest(bench.engine, "cable")[0].golden_digest == golden_members.digest(
        held
    )


def test_models_are_compared_where_the_products_own_target_is(bench: Bench) -> None:
    """A product that asks for more than the plant does is not judged by the plant's."""
    own = spec_of(*CODES).model_copy(update={"escape_target": 0.2})
    committed(bench.engine, products.register, own)
    for code in CODES:
        bench.pictures(code, 9)
    bench.champion()
    bench.train(escape_target=0.01)
    row = gate_decisions.newest(bench.engine, "cable")[0]
    assert row.figures["folds"]["equal"]["target"] == 0.2


def test_a_picture_that_encoders_failed_on_stops_neither_training_nor_gate(bench: Bench) -> None:
    """Its row was stored by a former version, and a person labelled what it sent to review."""
    for code in CODES:
        bench.pictures(code, 9)
    bench.pictures("bent", 1, noise=np.nan)
    first = bench.champion()
    made = bench.train()
    assert made.manifest.image_counts == dict.fromkeys(CODES, 9)
    assert made.manifest.parent == first
    assert made.decision.outcome is GateOutcome.PASSED, made.decision.reasons


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


def test_labels_of_classes_that_are_gone_make_no_model(bench: Bench) -> None:
    bench.zero_shot()
    bench.pictures("cut", 3)
    committed(bench.engine, products.register, spec_of("good", "bent"))
    with pytest.raises(TrainingError, match="of classes that it no longer has: cut"):
        bench.train()


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


def test_a_retired_champion_is_still_what_the_next_is_compared_with(bench: Bench) -> None:
    """Else retiring it first would be the way round the gate."""
    made_of = {code: bench.pictures(code, 12) for code in CODES}
    champion = bench.champion()
    held = dict.fromkeys(bench.pictures("bent", 10, label=False), "bent")
    held |= dict.fromkeys(bench.pictures("good", 10, label=False), "good")
    committed(bench.engine, golden_members.add, "cable", "golden", held, by="ann")
    committed(bench.engine, deployments.retire, "cable", by="ann", why="dull")
    again = bench.train(auto_promote="gate")
    assert again.decision.outcome is GateOutcome.PASSED, again.decision.reasons
    assert not again.promoted  # a person retired it, so a person decides what serves
    assert deployments.champion(bench.engine, "cable") is None
    bench.pictures("good", 40, looks="bent")
    bench.label(made_of["bent"][:10], "good")
    made = bench.train()
    assert made.decision.outcome is GateOutcome.FAILED
    with pytest.raises(ModelError, match=f"the gate says failed.*with {champion}, the last one"):
        bench.promote(made.manifest.version)
    assert deployments.champion(bench.engine, "cable") is None
    assert gate_decisions.newest(bench.engine, "cable")[0].champion == champion
    bench.promote(again.manifest.version)
    committed(bench.engine, deployments.retire, "cable", by="ann", why="again")
    committed(bench.engine, deployments.retire, "cable", by="ann", why="and again")
    bench.promote(again.manifest.version)  # compared with itself
    assert gate_decisions.newest(bench.engine, "cable")[0].champion == again.manifest.version


def test_too_few_pictures_are_for_a_person(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 4)
    bench.champion()
    made = bench.train(auto_promote="gate", gate_least_defects=100, gate_escape_margin=0.02)
    assert made.decision.outcome is GateOutcome.UNDECIDED
    assert not made.promoted
    bench.settings = bench.settings.model_copy(update={"gate_least_defects": 100})
    few = r"too few defects to decide: 8 defective parts of the 100 needed; about 92 more"
    with pytest.raises(ModelError, match=rf"{few}.*give --why REASON"):
        bench.promote(made.manifest.version)
    bench.promote(made.manifest.version, "the lamp is new", reasoned=True)
    assert deployments.champion(bench.engine, "cable") == made.manifest.version
    why = deployments.history(bench.engine, "cable")[0].why
    assert why == "the lamp is new (the gate: undecided)"


def test_other_features_are_compared_where_both_are_known(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 9)
    bench.champion()
    both = [i for code in CODES for i in bench.pictures(code, 8, prints=(PRINT, OTHER))]
    challenger = bench.train()
    assert challenger.manifest.fingerprint == OTHER  # the newest
    decision = challenger.decision
    assert decision.outcome is GateOutcome.PASSED, decision.reasons
    assert decision.figures["folds"]["pictures"] == len(both)
    assert any("both kinds" in reason for reason in decision.reasons)


def test_other_features_with_nothing_in_common_decide_nothing(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 9)
    bench.champion()
    for code in CODES:
        bench.pictures(code, 9, prints=(OTHER,))
    made = bench.train(auto_promote="gate")
    assert made.manifest.fingerprint == OTHER
    assert made.decision.outcome is GateOutcome.UNDECIDED
    assert "too few pictures to decide: 0 of" in made.decision.reasons[0]


def test_a_broken_champion_decides_nothing_and_no_training_is_lost(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 9)
    champion = bench.champion()
    folder = bench.settings.data_dir / "models" / "cable" / champion
    (folder / "head.safetensors").write_bytes(b"spoiled")
    made = bench.train(auto_promote="gate")
    assert made.decision.outcome is GateOutcome.UNDECIDED
    assert "is not the file that was saved" in made.decision.reasons[0]
    assert runs.runs(bench.engine, "cable")[0].state == "succeeded"


def test_bad_labels_are_one_sentence_and_the_champion_serves(bench: Bench) -> None:
    with pytest.raises(TrainingError, match="no labelled picture with stored features"):
        bench.train()
    ids = bench.pictures("good", 9)
    with pytest.raises(TrainingError, match=r"all labels are 'good', and 9 good parts do not show"):
        bench.train()
    for code in CODES[1:]:
        bench.pictures(code, 9)
    champion = bench.champion()
    with pytest.raises(LabelError, match="no inspection has the id"):
        bench.label([uuid4()], "good")
    with pytest.raises(LabelError, match="has no class 'melted'"):
        bench.label(ids[:1], "melted")
    assert deployments.champion(bench.engine, "cable") == champion


def test_a_store_that_is_a_file_fails_the_run(bench: Bench) -> None:
    """As a full or read-only one does: nothing can be written, the champion keeps serving."""
    for code in CODES:
        bench.pictures(code, 9)
    champion = bench.champion()
    (bench.settings.data_dir / "no-folder").write_text("")
    bench.store = ModelStore(str(bench.settings.data_dir / "no-folder"))
    with pytest.raises(ModelError, match="its rights and its room"):
        bench.train()
    assert runs.runs(bench.engine, "cable")[0].state == "failed"
    assert deployments.champion(bench.engine, "cable") == champion


def test_a_class_set_that_changed(bench: Bench) -> None:
    """A class that is gone is no longer trained; one that came is known to the next model."""
    for code in CODES:
        bench.pictures(code, 9)
    bench.champion()
    committed(bench.engine, products.register, spec_of("good", "bent", "new"))
    bench.pictures("new", 9)
    made = bench.train()
    assert made.manifest.classes == ("bent", "good", "new")
    assert made.decision.outcome is GateOutcome.PASSED, made.decision.reasons
    committed(bench.engine, products.register, spec_of("good", "bent", "cut", "new"))
    with pytest.raises(ModelError, match="it no longer knows cut"):
        bench.promote(made.manifest.version)


def shadowed(champion: str, shadow: str, said: Verdict, share: float) -> dict[str, object]:
    judged = ShadowJudgement(shadow, said, None, {"good": share, "bent": 1 - share})
    return {"model_version": champion, "shadow": judged, "verdict": Verdict.PASS}


def test_shadow_verdicts_are_kept_and_compared(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 9)
    champion, shadow = bench.champion(), bench.train().manifest.version
    committed(bench.engine, deployments.set_shadow, "cable", shadow, by="ann", why="trial")
    right = bench.pictures("bent", 6, **shadowed(champion, shadow, Verdict.DEFECT, 0.1))
    bench.pictures("good", 4, **shadowed(champion, shadow, Verdict.PASS, 0.9))
    bench.pictures("good", 2, label=False, **shadowed(champion, shadow, Verdict.REVIEW, 0.5))
    counts = {
        (row.champion_verdict, row.shadow_verdict): row.pictures
        for row in agreement(bench.engine, "cable", shadow)
    }
    assert counts == {("pass", "defect"): 6, ("pass", "pass"): 4, ("pass", "review"): 2}
    found = shadow_figures(bench.engine, "cable", shadow)
    assert found is not None
    assert (found.pictures, found.only_champion, found.only_challenger) == (10, 0, 6)
    assert found.champion["escapes"] == 6
    assert found.challenger["escapes"] == 0
    scores = inspections.scores(bench.engine, right[0])
    assert set(scores) == {shadow}
    row = inspections.outcomes(bench.engine, right)[right[0]]
    assert (row.verdict, row.model_version) == (Verdict.PASS, champion)  # the shadow has no say

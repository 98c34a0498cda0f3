"""The gate judges pictures by models that have not seen them, with the rules that would serve."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db.inspections.records import StoredFeatures
from db.labels import golden_members
from db.models import deployments, versions
from linewatch.errors import TrainingError
from linewatch.settings import Settings
from model_store.gate.evidence import Evidence, collect
from model_store.store import StoredModel
from model_store.verdicts.verdict import Thresholds
from tests.support.bench import CODES, DIM, PRINT, Bench, few_parts
from tests.support.committed import committed
from training.comparison.comparison import Comparison
from training.promotion import Wish, carry_out, consider
from training.stored_model import stored_model


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    """The rules are pure and the queries plain: one database will do."""
    from db.session import engine_for

    return engine_for(sqlite_url)


@pytest.fixture
def bench(engine: Engine, tmp_path: Path) -> Bench:
    return Bench(engine, few_parts(tmp_path))


def collected(bench: Bench, old: StoredModel, new: StoredModel) -> Evidence:
    challenger = versions.require(bench.engine, new.manifest.version)
    champion, settings = old.manifest.version, bench.settings
    found = Comparison.read(bench.engine, champion, challenger, settings.golden_set)
    return collect(
        replace(found.contender(found.champion, bench.store), model=old),
        replace(found.contender(found.challenger, bench.store), model=new),
        found.labels,
        found.golden,
        parts=found.parts,
        classes=found.classes,
        good_class=found.good_class,
        folds=settings.folds,
        random_state=settings.random_state,
    )


def stored(bench: Bench, version: str) -> StoredModel:
    return stored_model(bench.engine, bench.store, version)


def test_no_model_is_asked_about_pictures_that_it_learned_from(bench: Bench) -> None:
    """All classes look the same: who knows more than chance has seen the answers."""
    for code in CODES:
        bench.pictures(code, 4, looks="good", noise=0.3)
    champion = bench.champion()
    challenger = bench.train().manifest.version
    found = collected(bench, stored(bench, champion), stored(bench, challenger)).sets["folds"]
    assert found.pictures == 12
    assert found.champion["accuracy"] <= 0.6
    assert found.challenger["accuracy"] <= 0.6


@pytest.mark.parametrize("serials", [True, False])
def test_no_model_is_asked_about_a_part_that_it_learned_from(bench: Bench, serials: bool) -> None:
    """Three views of each part that differ by a hair, and nothing that tells classes apart."""
    for number in range(6):
        for code in CODES:
            serial, look = f"{code}-{number}" if serials else None, bench.rng.normal(size=DIM)
            for _ in range(3):
                view = StoredFeatures.of(PRINT, look + 0.005 * bench.rng.normal(size=DIM))
                bench.pictures(code, 1, part=serial, features=view)
    made = bench.train()
    assert made.manifest.part_counts == dict.fromkeys(CODES, 6)
    assert made.manifest.image_counts == dict.fromkeys(CODES, 18)
    assert made.manifest.metrics is not None
    assert made.manifest.metrics.accuracy < 0.6
    bench.promote(made.manifest.version)
    again = bench.train().manifest.version
    found = collected(bench, stored(bench, made.manifest.version), stored(bench, again))
    assert found.sets["folds"].pictures == 54
    assert found.sets["folds"].champion["accuracy"] < 0.6


def test_no_model_learns_from_another_view_of_a_golden_part(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 6)
    golden, view = bench.pictures("good", 2, part="S-1")
    held = {golden: "good"}
    committed(bench.engine, golden_members.add, "cable", "golden", held, by="ann")
    champion = bench.champion()
    assert stored(bench, champion).manifest.image_counts["good"] == 6
    challenger = bench.train().manifest.version
    assert stored(bench, challenger).manifest.image_counts["good"] == 6
    found = collected(bench, stored(bench, champion), stored(bench, challenger))
    assert found.sets["folds"].pictures == 18
    assert found.sets["golden"].pictures == 1
    assert view != golden


def test_lots_are_kept_whole_where_the_plant_asks_for_it(bench: Bench) -> None:
    for code in CODES:
        for lot in range(3):
            bench.pictures(code, 2, lot=f"L-{lot}")
    made = bench.train(group_by="lot")
    assert made.manifest.part_counts == dict.fromkeys(CODES, 3)
    for code in CODES:
        bench.pictures(code, 5, lot="L-1")
    assert bench.train(group_by="lot").manifest.part_counts == dict.fromkeys(CODES, 3)


def test_labels_of_one_lot_cannot_be_split_by_lot(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 5)
    with pytest.raises(TrainingError, match=r"3 lots of a class.*bent 1.*GROUP_BY=part"):
        bench.train(group_by="lot")
    assert bench.train().manifest.part_counts == dict.fromkeys(CODES, 5)


@pytest.mark.parametrize("lot", [None, ""])
def test_pictures_without_a_lot_are_split_by_part_and_it_is_said(
    bench: Bench, lot: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    for code in CODES:
        bench.pictures(code, 6, lot=lot)
    made = bench.train(group_by="lot")
    assert made.manifest.part_counts == dict.fromkeys(CODES, 6)
    said = "no picture of cable has a lot: it is split by part"
    assert said in str(made.split_note)
    assert said in caplog.text
    assert bench.train().split_note is None, "nobody asked for lots"
    bench.champion()
    compared = bench.train(group_by="lot").decision
    assert compared is not None
    assert any(said in reason for reason in compared.reasons), compared.reasons
    for code in CODES:
        bench.pictures(code, 2, lot="L-1")
    note = "18 of 24 pictures of cable have no lot: in splits by lot they stay with their part"
    assert bench.train(group_by="lot").split_note == note


def test_one_part_alone_cannot_be_split(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 5, part="S-1")
    with pytest.raises(TrainingError, match=r"3 folds need 3 parts of a class; label 2 more"):
        bench.train()


def test_a_refit_is_calibrated_as_the_model_that_serves(bench: Bench) -> None:
    """Thresholds are made for calibrated probabilities: a hot temperature leaves nobody sure."""
    for code in CODES:
        bench.pictures(code, 9)
    model = stored(bench, bench.champion())
    assert model.manifest.decisions is not None
    calibration = model.manifest.decisions.calibration.model_copy(update={"temperature": 100.0})
    update = {
        "decisions": model.manifest.decisions.model_copy(update={"calibration": calibration}),
        "thresholds": Thresholds(review_below=0.6),
    }
    hot = replace(model, manifest=model.manifest.model_copy(update=update))
    cool = replace(
        model,
        manifest=model.manifest.model_copy(update={"thresholds": Thresholds(review_below=0.4)}),
    )
    found = collected(bench, cool, hot).sets["folds"]
    assert found.champion["review_rate"] < 0.2
    assert found.challenger["review_rate"] == 1.0


def test_golden_pictures_are_in_no_fold(bench: Bench) -> None:
    ids = [id_ for code in CODES for id_ in bench.pictures(code, 9)]
    version = bench.champion()
    committed(bench.engine, golden_members.add, "cable", "another", {ids[0]: "good"}, by="ann")
    found = collected(bench, stored(bench, version), stored(bench, version)).sets["folds"]
    assert found.pictures == len(ids) - 1


def test_what_passed_against_an_earlier_champion_is_not_promoted(bench: Bench) -> None:
    """Somebody rolled back or promoted between the gate and now: it was compared with another."""
    for code in CODES:
        bench.pictures(code, 9)
    first = bench.champion()
    second = bench.train().manifest.version
    third = bench.train().manifest.version
    wish = Wish("auto")
    found = consider(bench.engine, bench.store, third, wish, settings=bench.settings)
    assert (found.granted, found.gated.before.version) == (True, first)
    committed(bench.engine, deployments.promote, "cable", second, by="ann", why="meanwhile")
    assert not carry_out(bench.engine, found).promoted
    assert deployments.champion(bench.engine, "cable") == second
    again = consider(bench.engine, bench.store, third, wish, settings=bench.settings)
    assert carry_out(bench.engine, again).promoted
    assert deployments.champion(bench.engine, "cable") == third


def test_the_folds_of_training_and_gate_are_those_of_the_settings(bench: Bench) -> None:
    """With three folds a class of two pictures cannot be scored; with two it can."""
    for code, count in zip(CODES, (9, 9, 2), strict=True):
        bench.pictures(code, count)
    assert Settings().folds == 3  # the seed's protocol
    made = bench.train()
    assert made.validation is not None
    assert made.validation.metrics.folds == 3
    assert {row.class_code for row in made.validation.metrics.classes if not row.scored} == {"cut"}
    again = stored(bench, made.manifest.version)
    assert collected(bench, again, again).sets["folds"].pictures == 18
    bench.settings = bench.settings.model_copy(update={"folds": 2})
    two = bench.train()
    assert two.validation is not None
    assert two.validation.metrics.folds == 2
    assert all(row.scored for row in two.validation.metrics.classes)
    assert collected(bench, again, again).sets["folds"].pictures == 20

"""A training run that cannot succeed says why, and the champion serves on."""

from __future__ import annotations

from uuid import uuid4

import numpy as np
import pytest

from db import products
from db.models import deployments, runs
from linewatch.errors import LabelError, ModelError, TrainingError
from model_store.gate.gate import GateOutcome
from model_store.store import ModelStore
from tests.support.bench import CODES, Bench, spec_of
from tests.support.committed import committed


def test_labels_of_classes_that_are_gone_make_no_model(bench: Bench) -> None:
    bench.zero_shot()
    bench.pictures("cut", 3)
    committed(bench.engine, products.register, spec_of("good", "bent"))
    with pytest.raises(TrainingError, match="of classes that it no longer has: cut"):
        bench.train()


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


def test_bad_labels_and_features_are_one_sentence_and_the_champion_serves(bench: Bench) -> None:
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
    bench.pictures("good", 1, noise=np.nan)
    with pytest.raises(TrainingError, match="features of 1 pictures are not finite"):
        bench.train()
    run = runs.runs(bench.engine, "cable")[0]
    assert run.state == "failed"
    assert "not finite" in (run.error or "")
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

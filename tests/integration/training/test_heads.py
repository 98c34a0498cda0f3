"""Kinds of head and rare classes' prompts from labels to the gate, on a real database and store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from db.models import versions
from linewatch.settings import Settings
from model_store.gate.gate import GateOutcome
from model_store.serving.rejudge import vectors_of
from tests.support.bench import CODES, FEW_PARTS, Bench
from training.comparison.comparison import Comparison
from training.retraining import retrain
from training.stored_model import stored_model


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def bench(engine: Engine, tmp_path: Path) -> Bench:
    found = Bench(engine, Settings(data_dir=tmp_path, review_below=0.0, **FEW_PARTS))
    for code in CODES:
        found.pictures(code, 12)
    return found


def test_a_kind_is_named_kept_and_fitted_again_by_the_gate(bench: Bench) -> None:
    plain = bench.train()
    assert plain.manifest.head is None
    assert "head" not in plain.manifest.model_dump()  # its digest is as in 0.1
    lda = bench.train(head="lda")
    assert lda.manifest.head == "lda"
    bench.promote(lda.manifest.version)
    again = bench.train()  # auto: as what serves
    assert again.manifest.head == "lda"
    assert again.decision.outcome is GateOutcome.PASSED, again.decision.reasons
    other = bench.train(head="nested")
    row = versions.require(bench.engine, other.manifest.version)
    comparison = Comparison.read(bench.engine, lda.manifest.version, row, "golden")
    model = stored_model(bench.engine, bench.store, lda.manifest.version)
    contender = comparison.contender(comparison.champion, bench.store)
    assert contender.fit is not None
    ids = sorted(contender.labels)
    told = [contender.labels[i] for i in ids]
    refitted = contender.fit(
        vectors_of([contender.vectors[i] for i in ids]), told, np.arange(len(ids))
    )
    # The same direction as the head that serves, which a temperature was divided out of since.
    serving, fresh = model.head.affine()[0], refitted.affine()[0]
    serving, fresh = serving - serving.mean(axis=0), fresh - fresh.mean(axis=0)
    cosine = (serving * fresh).sum() / np.linalg.norm(serving) / np.linalg.norm(fresh)
    assert cosine > 0.999


def test_a_search_is_told_and_its_choice_is_kept(bench: Bench) -> None:
    made = retrain(
        bench.engine, bench.store, "cable", trigger="t", settings=bench.settings, search=True
    )
    assert made is not None
    assert made.search is not None
    assert (made.manifest.head or "logistic") == made.search.kind
    assert made.validation is not None
    assert all(one.macro_f1 is not None for one in made.search.tried)


def test_a_rare_class_is_helped_by_its_prompts_alone(bench: Bench) -> None:
    bench.zero_shot()
    assert bench.train().manifest.prompted == ()
    settings = {"few_shot_below": 13}  # of three classes, now all are rare: few-shot
    assert bench.train(**settings).manifest.kind == "few-shot"
    for code in ("good", "cut"):
        bench.pictures(code, 3)
    made = bench.train(**settings)
    assert made.manifest.kind == "fitted"
    assert made.manifest.prompted == ("bent",)
    assert made.decision.outcome is GateOutcome.FIRST
    bench.promote(made.manifest.version)
    again = bench.train(**settings)
    assert again.decision.outcome is GateOutcome.PASSED, again.decision.reasons

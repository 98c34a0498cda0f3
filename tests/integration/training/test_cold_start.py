"""A product's first models: of prompts, of few labels, of good parts alone."""

from __future__ import annotations

import numpy as np
import pytest

from db.models import versions
from linewatch.errors import TrainingError
from model_store.gate.gate import GateOutcome
from model_store.serving.rejudge import rejudge
from producer.contract import Verdict
from tests.support.bench import CODES, Bench
from training.retraining import retrain
from training.stored_model import stored_model


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest) -> str:
    """As for the gate: the short run takes SQLite."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def test_cold_start_then_few_shot_then_labels(bench: Bench) -> None:
    """Prompts alone, prompts with few labels (a class without any included), labels alone."""
    zero = bench.zero_shot()
    bench.promote(zero)
    bench.pictures("good", 3)
    bench.pictures("bent", 2)
    few = bench.train()
    assert few.manifest.kind == "few-shot"
    assert few.manifest.classes == ("bent", "cut", "good")
    assert few.manifest.image_counts == {"bent": 2, "cut": 0, "good": 3}
    assert few.validation is None
    model = stored_model(bench.engine, bench.store, few.manifest.version)
    unseen = np.stack([bench.vector("cut", 0.02) for _ in range(5)])
    assert {j.defect_class for j in rejudge(model, unseen).judgements} == {"cut"}
    for code in CODES:
        bench.pictures(code, 9)
    made = bench.train()
    assert made.manifest.kind == "fitted"
    assert made.decision.outcome is GateOutcome.PASSED, made.decision.reasons  # against zero-shot
    kinds = {v.version: v.kind for v in versions.versions(bench.engine, "cable")}
    assert kinds[zero] == "zero-shot"


def test_good_parts_alone_start_a_product_and_labels_of_defects_end_that(bench: Bench) -> None:
    bench.pictures("good", 30)
    start = bench.train()
    assert (start.manifest.kind, start.manifest.classes) == ("good-only", ("good",))
    assert start.validation is None
    assert start.manifest.unlike_good is not None
    assert start.manifest.unlike_good.parts == 30
    bench.promote(start.manifest.version)
    model = stored_model(bench.engine, bench.store, start.manifest.version)
    bent = np.stack([bench.vector("bent", 0.05) for _ in range(9)])
    assert {one.verdict for one in rejudge(model, bent).judgements} == {Verdict.REVIEW}
    more = bench.train()  # still good parts alone: both are asked as if they had not seen them
    assert more.decision is not None
    assert more.decision.figures["folds"]["pictures"] == 30
    for code in ("bent", "cut"):
        bench.pictures(code, 9)
    made = bench.train()
    assert made.manifest.kind == "fitted"
    assert made.decision is not None
    assert made.decision.outcome is GateOutcome.PASSED, made.decision.reasons
    assert made.manifest.thresholds.unlike_good_above is not None


def test_a_few_shot_champion_is_compared_by_refits(bench: Bench) -> None:
    bench.zero_shot()
    for code in CODES:
        bench.pictures(code, 4)
    few = bench.train()
    assert few.manifest.kind == "few-shot"
    bench.promote(few.manifest.version)
    for code in CODES:
        bench.pictures(code, 8)
    made = bench.train()
    assert made.decision.outcome is GateOutcome.PASSED, made.decision.reasons
    assert made.decision.figures["folds"]["pictures"] == 36


def test_few_shot_needs_prompts(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 2)
    with pytest.raises(TrainingError, match="linewatch models zero-shot cable"):
        retrain(
            bench.engine, bench.store, "cable", trigger="t", settings=bench.settings, few_shot=True
        )

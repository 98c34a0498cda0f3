"""A model learns from copies where its product allows them and they help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import Engine

from db import products
from db.inspections.records import StoredFeatures
from db.models import feature_copies, versions
from db.session import engine_for
from model_store.gate.evidence import Contender, collect
from model_store.gate.gate import GateOutcome
from model_store.heads.fit import fit_head
from model_store.heads.head import Head
from model_store.training_copies.copies import Copies
from model_store.validation.folds import Numbers
from quality.arrays import Floats
from tests.support.bench import CODES, PRINT, Bench, few_parts, spec_of
from tests.support.committed import committed
from training.comparison.comparison import Comparison
from training.retraining import Retrained


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    """The rules are pure and the queries plain: one database will do."""
    return engine_for(sqlite_url)


@pytest.fixture
def bench(engine: Engine, tmp_path: Path) -> Bench:
    made = Bench(engine, few_parts(tmp_path))
    allow(made, "flip")
    return made


def allow(bench: Bench, *symmetry: str) -> None:
    spec = spec_of(*CODES).model_copy(update={"symmetry": symmetry})
    committed(bench.engine, products.register, spec)


def copied(bench: Bench, ids: list[UUID], looks: str) -> None:
    """Mirrored copies that look like a class."""
    for id_ in ids:
        copy = StoredFeatures.of(PRINT, bench.vector(looks, 0.05))
        committed(bench.engine, feature_copies.store_copies, id_, {"mirrored": copy})


def coef(bench: Bench, made: Retrained) -> Floats:
    return bench.store.load("cable", made.manifest.version).head.coef


def test_copies_are_learned_from_and_the_gate_learns_with_them(bench: Bench) -> None:
    for code in CODES:
        bench.pictures(code, 9)
    before = bench.champion()
    assert bench.store.load("cable", before).manifest.copies == ()
    for code in CODES:
        copied(bench, bench.pictures(code, 6), code)
    made = bench.train()
    assert made.copies is not None
    assert made.copies.used, made.copies.words()
    assert (made.copies.count, made.copies.pictures) == (18, 18)
    assert made.manifest.copies == ("mirrored",)
    assert made.decision is not None
    assert made.decision.outcome is GateOutcome.PASSED, made.decision.reasons
    allow(bench)
    plain = bench.train()
    assert not np.array_equal(coef(bench, made), coef(bench, plain))
    assert made.validation is not None
    assert plain.validation is not None
    shares = made.validation.probabilities, plain.validation.probabilities
    assert not np.array_equal(*shares)  # its figures are of models that learn as it does


def test_the_gate_fits_each_model_again_with_the_copies_that_it_learned_from(bench: Bench) -> None:
    for code in CODES:
        copied(bench, bench.pictures(code, 9), code)
    allow(bench)
    old = bench.train().manifest.version
    allow(bench, "flip")
    new = bench.train().manifest.version
    settings = bench.settings
    challenger = versions.require(bench.engine, new)
    found = Comparison.read(bench.engine, old, challenger, settings.golden_set)
    seen: dict[str, list[int]] = {old: [], new: []}

    def watched(version: str) -> Contender:
        def fit(
            features: Floats, labels: Sequence[str], parts: Numbers, copies: Copies | None = None
        ) -> Head:
            seen[version].append(0 if copies is None else len(copies))
            return fit_head(features, labels, parts, copies=copies)

        info = versions.require(bench.engine, version)
        return replace(found.contender(info, bench.store), fit=fit)

    collect(
        watched(old),
        watched(new),
        found.labels,
        found.golden,
        parts=found.parts,
        classes=found.classes,
        good_class=found.good_class,
        folds=settings.folds,
        random_state=settings.random_state,
    )
    assert seen == {old: [0, 0, 0], new: [18, 18, 18]}


def test_a_symmetry_that_swaps_two_classes_is_stated_and_not_learned(bench: Bench) -> None:
    bench.pictures("good", 30)
    for code, other in (("bent", "cut"), ("cut", "bent")):
        copied(bench, bench.pictures(code, 30), other)
    made = bench.train()
    assert made.copies is not None
    assert not made.copies.used
    assert {"bent", "cut"} & set(made.copies.harmed)
    assert made.manifest.copies == ()
    allow(bench)
    plain = bench.train()
    assert plain.copies is None
    assert np.array_equal(coef(bench, made), coef(bench, plain))


def test_copies_that_the_product_no_longer_allows_are_left_alone(bench: Bench) -> None:
    for code in CODES:
        copied(bench, bench.pictures(code, 6), code)
    allow(bench, "brightness")
    made = bench.train()
    assert made.copies is None
    assert made.manifest.copies == ()

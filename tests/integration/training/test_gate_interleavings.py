"""A person acts while the gate compares: what the person said holds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from db.models import deployments, gate_decisions
from db.models.standing import standing
from db.session import engine_for
from linewatch.cli import cli
from linewatch.errors import ModelChangedError
from linewatch.settings import Settings
from tests.support.bench import CODES, FEW_PARTS, Bench
from tests.support.committed import committed
from tests.support.interleaving import meanwhile
from training import promotion

# The gate collects its evidence here: by now it has seen the champion.
COMPARES = "count(*) AS count_1 FROM golden_items"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest) -> str:
    """What holds for each statement, `test_deployments` says of both databases."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def bench(make_settings: Callable[..., Settings], database_url: str, tmp_path: Path) -> Bench:
    settings = make_settings(
        database_url=database_url, data_dir=tmp_path, review_below=0.0, **FEW_PARTS
    )
    made = Bench(engine_for(database_url), settings)
    for code in CODES:
        made.pictures(code, 9)
    return made


def retiring(engine: Engine) -> Callable[[], Any]:
    return partial(committed, engine, deployments.retire, "cable", by="ann", why="dents")


def test_what_changed_before_the_gate_looked_stops_whoever_saw_it_otherwise(bench: Bench) -> None:
    bench.champion()
    second, seen = bench.train().manifest.version, standing(bench.engine, "cable")
    retiring(bench.engine)()
    wish = promotion.Wish.of_person("eva", "a trial", force=True, reasoned=True)
    with pytest.raises(ModelChangedError, match=r"it is no version, by ann \(dents\)"):
        promotion.promote(
            bench.engine, bench.store, second, wish, settings=bench.settings, seen=seen
        )
    assert deployments.champion(bench.engine, "cable") is None


def test_a_retirement_during_the_gate_stops_a_promotion(bench: Bench) -> None:
    bench.champion()
    second = bench.train().manifest.version
    with (
        pytest.raises(ModelChangedError, match=r"it is no version, by ann \(dents\)"),
        meanwhile(bench.engine, COMPARES, retiring(bench.engine)),
    ):
        bench.promote(second, force=True, why="a trial")
    assert deployments.champion(bench.engine, "cable") is None
    assert gate_decisions.newest(bench.engine, "cable")[0].challenger == second


def test_a_retirement_during_training_stops_the_automatic_promotion(bench: Bench) -> None:
    bench.champion()
    with meanwhile(bench.engine, COMPARES, retiring(bench.engine)):
        made = bench.train(auto_promote="gate")
    assert made.decision is not None
    assert made.decision.passed
    assert not made.promoted
    assert deployments.champion(bench.engine, "cable") is None


def test_a_retirement_during_train_promote_stops_it(bench: Bench) -> None:
    bench.champion()
    with meanwhile(bench.engine, COMPARES, retiring(bench.engine)):
        result = CliRunner().invoke(cli, ["train", "cable", "--promote"])
    assert isinstance(result.exception, ModelChangedError), result.output
    assert deployments.champion(bench.engine, "cable") is None

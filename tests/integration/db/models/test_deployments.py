"""What serves is changed by one person at a time, and never on what has changed since."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import Engine

from db import audit
from db.models import deployments, versions
from db.models.standing import SHADOW, Standing, standing
from db.models.versions import VersionInfo
from db.session import transaction
from linewatch.errors import ModelChangedError, ModelError
from tests.support.committed import committed
from tests.support.interleaving import meanwhile
from tests.support.records import NOON

A, B, C = "cable-1", "cable-2", "cable-3"


@pytest.fixture
def plant(engine: Engine) -> Engine:
    """Three versions; the second serves, after the first."""
    for number, name in enumerate((A, B, C), start=1):
        committed(engine, versions.add_version, version(name, number))
    for name in (A, B):
        committed(engine, deployments.promote, "cable", name, by="ann", why="")
    return engine


def version(name: str, number: int, sha256: str = "s") -> VersionInfo:
    return VersionInfo(
        version=name,
        product="cable",
        number=number,
        fingerprint="f",
        encoders="e",
        manifest_sha256=sha256,
        created_at=NOON,
    )


def deeds(engine: Engine) -> list[str]:
    return [deed.action for deed in audit.newest(engine)]


def test_a_standing_tells_what_serves_and_what_served_last(plant: Engine) -> None:
    assert standing(plant, "plug") == Standing("plug", "champion", None, None, 0)
    seen = standing(plant, "cable")
    assert (seen.version, seen.last) == (B, B)
    committed(plant, deployments.retire, "cable", by="ann", why="", expected=seen)
    assert (standing(plant, "cable").version, standing(plant, "cable").last) == (None, B)
    assert standing(plant, "cable").change > seen.change
    assert standing(plant, "cable", SHADOW).change == 0


@pytest.mark.parametrize("how", ["promote", "retire", "rollback"])
def test_what_rests_on_a_former_champion_is_refused(plant: Engine, how: str) -> None:
    seen = standing(plant, "cable")
    committed(plant, deployments.promote, "cable", C, by="bob", why="B lets dents pass")
    deed = {
        "promote": partial(deployments.promote, version=A),
        "retire": deployments.retire,
        "rollback": deployments.rollback,
    }[how]
    before = deeds(plant)
    with pytest.raises(
        ModelChangedError,
        match=r"the champion of cable was changed meanwhile: since .* UTC it is cable-3, by bob "
        r"\(B lets dents pass\); nothing was done: .*models list`, then decide anew",
    ):
        committed(plant, deed, product="cable", by="ann", why="", expected=seen)  # type: ignore[arg-type]
    assert deployments.champion(plant, "cable") == C
    assert deeds(plant) == before


def test_the_same_champion_again_is_a_change_too(plant: Engine) -> None:
    """The gate compared with what had served last; another came and went meanwhile."""
    committed(plant, deployments.retire, "cable", by="ann", why="")
    seen = standing(plant, "cable")
    committed(plant, deployments.promote, "cable", A, by="bob", why="")
    committed(plant, deployments.retire, "cable", by="bob", why="")
    with pytest.raises(ModelChangedError, match="it is no version, by bob; nothing was done"):
        committed(plant, deployments.promote, "cable", C, by="ann", why="", expected=seen)


def test_a_retirement_between_look_and_promotion_holds(plant: Engine) -> None:
    """The person's word comes while the promotion is at its first write, and is not undone."""
    seen = standing(plant, "cable")
    retire = partial(committed, plant, deployments.retire, "cable", by="ann", why="dents")
    with (
        meanwhile(plant, "INSERT INTO deployments", retire, waits=True),
        transaction(plant) as connection,
    ):
        deployments.promote(connection, "cable", C, by="linewatch", why="", expected=seen)
    assert deployments.champion(plant, "cable") is None


def test_a_rollback_goes_back_from_what_it_read(plant: Engine) -> None:
    """Two people press the same button; the second must not go back a step that nobody meant."""
    committed(plant, deployments.promote, "cable", C, by="ann", why="")
    seen = standing(plant, "cable")
    back = partial(committed, plant, deployments.rollback, "cable", by="bob", why="", expected=seen)
    start = "BEGIN IMMEDIATE" if plant.dialect.name == "sqlite" else "SELECT linewatch_audit"
    with (
        pytest.raises(ModelChangedError, match="it is cable-2, by bob"),
        meanwhile(plant, start, back),
    ):
        committed(plant, deployments.rollback, "cable", by="ann", why="", expected=seen)
    assert deployments.champion(plant, "cable") == B


def test_a_rollback_never_overrides_a_retirement_that_it_did_not_see(plant: Engine) -> None:
    retire = partial(committed, plant, deployments.retire, "cable", by="ann", why="dents")
    refused = plant.dialect.name == "postgresql"  # on SQLite the retirement waits, and comes after
    with transaction(plant) as connection:
        at = "SELECT linewatch_audit" if refused else "INSERT INTO deployments"
        with meanwhile(plant, at, retire, waits=not refused):
            if refused:
                with pytest.raises(ModelChangedError, match="it is no version, by ann"):
                    deployments.rollback(connection, "cable", by="bob", why="")
            else:
                deployments.rollback(connection, "cable", by="bob", why="")
                connection.commit()
    assert deployments.champion(plant, "cable") is None


def test_two_shadows_at_once(plant: Engine) -> None:
    seen = standing(plant, "cable", SHADOW)
    other = partial(committed, plant, deployments.set_shadow, "cable", C, by="ann", why="trial")
    start = "BEGIN IMMEDIATE" if plant.dialect.name == "sqlite" else "SELECT linewatch_audit"
    with (
        pytest.raises(ModelChangedError, match=r"the shadow of cable .* it is cable-3, by ann"),
        meanwhile(plant, start, other),
    ):
        committed(plant, deployments.set_shadow, "cable", A, by="bob", why="", expected=seen)
    assert deployments.shadows(plant) == {"cable": C}


def test_one_number_is_one_version(engine: Engine) -> None:
    """Two trainings that read the same highest number: the second is told to take the next."""
    first = partial(committed, engine, versions.add_version, version(A, 1))
    start = "BEGIN IMMEDIATE" if engine.dialect.name == "sqlite" else "INSERT INTO model_versions"
    with (
        pytest.raises(ModelError, match="its name or number is taken by another model"),
        meanwhile(engine, start, first),
    ):
        committed(engine, versions.add_version, version(B, 1, "other"))
    with meanwhile(engine, start, partial(committed, engine, versions.add_version, version(C, 3))):
        committed(engine, versions.add_version, version(C, 3))  # the same twice is no error
    assert [info.version for info in versions.versions(engine)] == [C, A]
    assert deeds(engine) == ["model.add", "model.add"]

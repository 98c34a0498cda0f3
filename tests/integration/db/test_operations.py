"""Dead letters, alerts, versions, and which of them is in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from db import alerts, audit, dead_letters, deployments, finding, model_versions, requeues, totals
from db.inspections import commit_inspections
from db.model_versions import VersionInfo
from linewatch.errors import ModelError
from producer.contract import Reason, Verdict
from tests.support.records import NOON, a_record

V1 = VersionInfo(
    version="cable-1",
    product="cable",
    number=1,
    fingerprint="f",
    encoders="compact",
    manifest_sha256="a" * 64,
    created_at=NOON,
)
V2 = replace(V1, version="cable-2", number=2, manifest_sha256="b" * 64, parent="cable-1")
V3 = replace(V1, version="cable-3", number=3, manifest_sha256="c" * 64, parent="cable-2")


def letter(engine: Engine, **fields: object) -> int:
    usual = {"reason": Reason.POISON, "detail": "d", "payload": '{"a": "\0"}', "task_id": "t1"}
    return dead_letters.add(engine, **{**usual, **fields})  # type: ignore[arg-type]


def test_a_message_delivered_twice_is_one_letter(engine: Engine) -> None:
    image = uuid4()
    first = letter(engine)
    assert letter(engine, detail="again") == first
    assert letter(engine, image_id=image) not in (first, None)
    assert letter(engine, image_id=image) == letter(engine, image_id=image)
    assert letter(engine, task_id=None) != letter(engine, task_id=None)
    found = dead_letters.get(engine, first)
    assert found is not None
    assert (found.detail, found.reason, found.payload) == ("again", "poison", '{"a": "\ufffd"}')
    assert len(dead_letters.newest(engine)) == 4
    assert dead_letters.get(engine, 999) is None


def test_a_requeued_letter_that_dies_again_is_open_again(engine: Engine) -> None:
    number = letter(engine)
    assert requeues.allow(engine, number, [], by="ann") == []
    assert dead_letters.newest(engine, requeued=False) == []
    assert [one.id for one in dead_letters.newest(engine, requeued=True)] == [number]
    letter(engine)
    assert [one.id for one in dead_letters.newest(engine, requeued=False)] == [number]


def test_a_purge_spares_what_is_newer_and_is_audited(engine: Engine) -> None:
    letter(engine)
    assert dead_letters.purge(engine, before=NOON - timedelta(days=9999), by="ann") == 0
    assert audit.newest(engine) == []
    assert dead_letters.purge(engine, before=datetime.now(UTC) + timedelta(1), by="ann") == 1
    (deed,) = audit.newest(engine)
    assert (deed.actor, deed.action, deed.detail["letters"]) == ("ann", "dead_letter.purge", 1)


def test_an_alert_stands_once_until_it_is_resolved(engine: Engine) -> None:
    def shout(message: str = "m", product: str | None = "cable") -> int:
        return alerts.raise_alert(
            engine, kind="model_refused", severity="critical", product=product, message=message
        )

    first = shout()
    assert shout() == first
    assert len({first, shout("other"), shout(product=None)}) == 3
    assert shout(product=None) == shout(product=None)
    assert alerts.resolve(engine, kind="model_refused", product="cable") == 2
    assert [one.product for one in alerts.open_alerts(engine)] == [None]
    assert shout() != first


def test_versions_are_numbered_and_not_overwritten(engine: Engine) -> None:
    assert model_versions.next_number(engine, "cable") == 1
    model_versions.add_version(engine, V1)
    model_versions.add_version(engine, V1)  # the same again, as after an import
    assert model_versions.next_number(engine, "cable") == 2
    assert model_versions.next_number(engine, "plug") == 1
    for taken in (replace(V1, manifest_sha256="x"), replace(V2, number=1)):
        with pytest.raises(ModelError, match="taken by another model"):
            model_versions.add_version(engine, taken)
    model_versions.add_version(engine, V2)
    assert model_versions.versions(engine, "cable") == [V2, V1]
    assert model_versions.get(engine, "cable-1") == V1
    assert model_versions.get(engine, "none") is None


def test_promotion_and_the_way_back(engine: Engine) -> None:
    for version in (V1, V2, V3):
        model_versions.add_version(engine, version)
    assert deployments.champion(engine, "cable") is None
    with pytest.raises(ModelError, match="no earlier champion"):
        deployments.rollback(engine, "cable", by="ann", why="?")
    for version in (V1, V2, V3):
        deployments.promote(engine, "cable", version.version, by="ann", why="better")
    assert deployments.champions(engine) == {"cable": "cable-3"}
    assert deployments.rollback(engine, "cable", by="bob", why="escapes") == "cable-2"
    assert deployments.rollback(engine, "cable", by="bob", why="escapes") == "cable-1"
    assert deployments.champion(engine, "cable") == "cable-1"
    deployments.set_shadow(engine, "cable", "cable-3", by="ann", why="compare")
    assert deployments.shadows(engine) == {"cable": "cable-3"}
    assert deployments.champions(engine) == {"cable": "cable-1"}
    deployments.set_shadow(engine, "cable", None, by="ann", why="enough")
    assert deployments.shadows(engine) == {}
    deployments.retire(engine, "cable", by="ann", why="none is good")
    assert deployments.champions(engine) == {}
    assert deployments.rollback(engine, "cable", by="ann", why="after all") == "cable-1"
    newest = deployments.history(engine, "cable")[0]
    assert (newest.version, newest.by, newest.why) == ("cable-1", "ann", "after all")
    assert audit.newest(engine, 1)[0].action == "model.rollback"
    assert audit.verify(engine).problem is None


def test_only_a_known_version_of_the_product_is_promoted(engine: Engine) -> None:
    model_versions.add_version(engine, V1)
    with pytest.raises(ModelError, match="no model is called 'ghost'"):
        deployments.promote(engine, "cable", "ghost", by="ann", why="?")
    with pytest.raises(ModelError, match="is for cable, not for plug"):
        deployments.promote(engine, "plug", "cable-1", by="ann", why="?")
    assert deployments.champions(engine) == {}
    assert deployments.history(engine, "plug") == []


def test_totals_and_finding(engine: Engine) -> None:
    assert totals.last_decided_at(engine) is None
    old = a_record(part="P")
    new = a_record(part="P", decided_at=NOON + timedelta(hours=2), verdict=Verdict.REJECTED)
    commit_inspections(engine, [new, old], UTC)
    assert totals.last_decided_at(engine) == new.decided_at
    assert totals.hourly_total(engine, "cable") == 2
    assert totals.hourly_total(engine, "plug") == 0
    assert finding.newest_by(engine, "part", ["P", "Q"]) == {"P": new.id}

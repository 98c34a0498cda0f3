"""Dead letters, alerts, versions, and which of them is in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from db import alerts, audit
from db.inspections import dead_letters
from db.inspections.inspections import commit_inspections
from db.labels import lookup
from db.models import deployments, versions
from db.models.versions import VersionInfo
from db.reports import counts
from linewatch.errors import ModelError
from producer.contract import Reason, Verdict
from tests.support.committed import committed
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
    return committed(engine, dead_letters.add, **{**usual, **fields})  # type: ignore[arg-type]


def test_a_message_delivered_twice_is_one_letter(engine: Engine) -> None:
    image = uuid4()
    first = letter(engine)
    assert letter(engine, detail="again") == first
    assert letter(engine, task_id=None) == first  # whatever it calls itself
    assert letter(engine, image_id=image) not in (first, None)
    assert letter(engine, image_id=image) == letter(engine, image_id=image)
    found = dead_letters.get(engine, first)
    assert found is not None
    assert (found.detail, found.reason, found.payload) == ("d", "poison", '{"a": "\ufffd"}')
    assert len(dead_letters.newest(engine)) == 2
    assert dead_letters.get(engine, 999) is None


def test_letters_of_one_task_id_are_never_merged(engine: Engine) -> None:
    forged = letter(engine, reason=Reason.BAD_SIGNATURE, detail="not signed", payload="forged")
    harmless = letter(engine, reason=Reason.UNSUPPORTED_VERSION, payload="harmless")
    other_reason = letter(engine, reason=Reason.UNREADABLE_MESSAGE, payload="forged")
    found = sorted((one.id, one.reason, one.payload) for one in dead_letters.newest(engine))
    assert found == [
        (forged, "bad_signature", "forged"),
        (harmless, "unsupported_version", "harmless"),
        (other_reason, "unreadable_message", "forged"),
    ]


def test_letters_that_a_message_alone_brings_about_are_capped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def forged(payload: str, reason: Reason = Reason.BAD_SIGNATURE) -> int | None:
        return letter(engine, reason=reason, payload=payload)

    monkeypatch.setattr(dead_letters, "MOST_LETTERS", 3)
    monkeypatch.setattr(dead_letters, "MOST_BYTES", 100)
    kept = [forged(f"{number}") for number in range(3)]
    assert None not in kept
    assert forged("one more") is None
    assert "not kept: there are 3 with the reason bad_signature" in caplog.text
    assert forged("0") == kept[0]  # which is there already
    assert forged("é" * 51, Reason.UNREADABLE_MESSAGE) is None  # bytes, not characters
    assert forged("é" * 50, Reason.UNREADABLE_MESSAGE) is not None  # each reason by itself
    assert all(forged(f"{number}", Reason.POISON) for number in range(9))
    assert len(dead_letters.newest(engine)) == 13


def test_a_requeued_letter_that_dies_again_is_open_again(engine: Engine) -> None:
    number = letter(engine)
    found = dead_letters.get(engine, number)
    assert found is not None
    committed(engine, dead_letters.sent_again, found)
    assert dead_letters.newest(engine, requeued=False) == []
    assert [one.id for one in dead_letters.newest(engine, requeued=True)] == [number]
    letter(engine)
    assert [one.id for one in dead_letters.newest(engine, requeued=False)] == [number]


def test_a_purge_spares_what_is_newer_and_is_audited(engine: Engine) -> None:
    letter(engine)
    assert committed(engine, dead_letters.purge, before=NOON - timedelta(days=9999), by="ann") == 0
    assert audit.newest(engine) == []
    assert (
        committed(engine, dead_letters.purge, before=datetime.now(UTC) + timedelta(1), by="ann")
        == 1
    )
    (deed,) = audit.newest(engine)
    assert (deed.actor, deed.action, deed.detail["letters"]) == ("ann", "dead_letter.purge", 1)


def test_an_alert_stands_once_until_it_is_resolved(engine: Engine) -> None:
    def shout(message: str = "m", product: str | None = "cable") -> int:
        return committed(
            engine,
            alerts.raise_alert,
            kind="model_refused",
            severity="critical",
            product=product,
            message=message,
        )

    first = shout()
    assert shout() == first
    assert len({first, shout("other"), shout(product=None)}) == 3
    assert shout(product=None) == shout(product=None)
    assert committed(engine, alerts.resolve, kind="model_refused", product="cable") == 2
    assert [one.product for one in alerts.open_alerts(engine)] == [None]
    assert shout() != first


def test_versions_are_numbered_and_not_overwritten(engine: Engine) -> None:
    assert versions.next_number(engine, "cable") == 1
    committed(engine, versions.add_version, V1)
    committed(engine, versions.add_version, V1)  # the same again, as after an import
    assert versions.next_number(engine, "cable") == 2
    assert versions.next_number(engine, "plug") == 1
    for taken in (replace(V1, manifest_sha256="x"), replace(V2, number=1)):
        with pytest.raises(ModelError, match="taken by another model"):
            committed(engine, versions.add_version, taken)
    committed(engine, versions.add_version, V2)
    assert versions.versions(engine, "cable") == [V2, V1]
    assert versions.get(engine, "cable-1") == V1
    assert versions.get(engine, "none") is None


def test_promotion_and_the_way_back(engine: Engine) -> None:
    for version in (V1, V2, V3):
        committed(engine, versions.add_version, version)
    assert deployments.champion(engine, "cable") is None
    with pytest.raises(ModelError, match="no earlier champion"):
        committed(engine, deployments.rollback, "cable", by="ann", why="?")
    for version in (V1, V2, V3):
        committed(engine, deployments.promote, "cable", version.version, by="ann", why="better")
    assert deployments.champions(engine) == {"cable": "cable-3"}
    assert committed(engine, deployments.rollback, "cable", by="bob", why="escapes") == "cable-2"
    assert committed(engine, deployments.rollback, "cable", by="bob", why="escapes") == "cable-1"
    assert deployments.champion(engine, "cable") == "cable-1"
    committed(engine, deployments.set_shadow, "cable", "cable-3", by="ann", why="compare")
    assert deployments.shadows(engine) == {"cable": "cable-3"}
    assert deployments.champions(engine) == {"cable": "cable-1"}
    committed(engine, deployments.set_shadow, "cable", None, by="ann", why="enough")
    assert deployments.shadows(engine) == {}
    committed(engine, deployments.retire, "cable", by="ann", why="none is good")
    assert deployments.champions(engine) == {}
    assert committed(engine, deployments.rollback, "cable", by="ann", why="after all") == "cable-1"
    newest = deployments.history(engine, "cable")[0]
    assert (newest.version, newest.by, newest.why) == ("cable-1", "ann", "after all")
    assert audit.newest(engine, 1)[0].action == "model.rollback"
    assert audit.verify(engine).problem is None


def test_only_a_known_version_of_the_product_is_promoted(engine: Engine) -> None:
    committed(engine, versions.add_version, V1)
    with pytest.raises(ModelError, match="no model is called 'ghost'"):
        committed(engine, deployments.promote, "cable", "ghost", by="ann", why="?")
    with pytest.raises(ModelError, match="is for cable, not for plug"):
        committed(engine, deployments.promote, "plug", "cable-1", by="ann", why="?")
    assert deployments.champions(engine) == {}
    assert deployments.history(engine, "plug") == []


def test_totals_and_finding(engine: Engine) -> None:
    assert counts.last_decided_at(engine) is None
    old = a_record(part="P")
    new = a_record(part="P", decided_at=NOON + timedelta(hours=2), verdict=Verdict.REJECTED)
    commit_inspections(engine, [new, old], UTC)
    assert counts.last_decided_at(engine) == new.decided_at
    assert counts.hourly_total(engine, "cable") == 2
    assert counts.hourly_total(engine, "plug") == 0
    assert lookup.newest_by(engine, "part", ["P", "Q"]) == {"P": new.id}

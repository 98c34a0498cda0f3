"""What is drawn for the audit follows from names and a secret, whatever came in which order."""

from __future__ import annotations

import hmac
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.products import register
from db.retention.counts import purge_rollups
from db.retention.queries import purge_inspections
from db.session import reading, transaction
from db.tables import AuditDraw, AuditSeed, AuditShare
from linewatch.products import parse_product
from producer.contract import Verdict
from tests.support.committed import committed
from tests.support.part_facts import (
    DAY,
    PRODUCT,
    Facts,
    a_picture,
    a_plant,
    as_row,
    check,
    play,
    stored_parts,
)
from tests.support.records import a_record

SEED = bytes(range(32))
LONG_AGO = DAY - timedelta(days=30)
Key = tuple[str, str, int]


def value(key: Key, seed: bytes = SEED) -> float:
    """The draw, written out."""
    words = [PRODUCT, *map(str, key)]
    text = "".join(f"{len(word.encode())}:{word}," for word in words)
    return int(hmac.new(seed, text.encode(), sha256).hexdigest()[:16], 16) / 2**64


def sample(engine: Engine) -> dict[Key, dict[str, Any]]:
    with reading(engine) as connection:
        rows = connection.execute(select(table_of(AuditDraw))).mappings()
        return {(row["serial"], row["scope"], row["pass_number"]): dict(row) for row in rows}


def know_the_seed(engine: Engine, seed: bytes = SEED, since: datetime = LONG_AGO) -> None:
    """Make the secret known, and the share one of parts made since then."""
    with transaction(engine) as connection:
        connection.execute(update(table_of(AuditSeed)).values(seed=seed))
        connection.execute(update(table_of(AuditShare)).values(since=since))


def a_plant_that_audits(engine: Engine, share: float, **options: Any) -> None:
    a_plant(engine, audit_share=share, **options)
    know_the_seed(engine)


@pytest.mark.parametrize("seed", range(3))
def test_a_part_is_drawn_by_its_name_once_the_model_has_decided(engine: Engine, seed: int) -> None:
    a_plant_that_audits(engine, 0.4)
    facts = play(engine, seed, pictures=60)
    check(engine, facts)
    found, parts = sample(engine), facts.parts()
    final = {key for key, part in parts.items() if part.model.disposition != "open"}
    assert {key for key in found if key in final} == {key for key in final if value(key) < 0.4}
    assert set(found) <= {key for key in parts if value(key) < 0.4}
    assert {row["share"] for row in found.values()} == {0.4}
    assert {key[0] != "" for key in found} == {True, False}
    for key, row in found.items():
        assert row["model_disposition"] in ("conforming", "nonconforming"), key
        assert row["line"] in ("L1", "L2")


def test_the_order_of_arrival_draws_the_same(engine: Engine) -> None:
    """Every view is decided, so that each part is final at any time."""
    a_plant_that_audits(engine, 0.5)
    rng = random.Random(5)
    pictures = [replace(one, views=None) for one in (a_picture(rng) for _ in range(150))]
    pictures = [one for one in pictures if one.verdict in (Verdict.PASS, Verdict.DEFECT)]
    facts = Facts()
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(facts.commit, engine, pictures[n::20]) for n in range(20)]:
            done.result()
    check(engine, facts)
    assert set(sample(engine)) == {key for key in facts.parts() if value(key) < 0.5}


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_none_and_all(engine: Engine, share: float) -> None:
    a_plant_that_audits(engine, share)
    facts = play(engine, 1)
    final = {key for key, part in facts.parts().items() if part.model.disposition != "open"}
    assert final <= set(sample(engine)) if share else sample(engine) == {}


def test_a_key_that_is_not_as_ours_draws_the_same_on_both(engine: Engine) -> None:
    """Names and a seed that a hash in SQL may take otherwise."""
    a_plant_that_audits(engine, 0.5)
    know_the_seed(engine, b"\xff\x00\x80" * 5)
    facts, rng = Facts(), random.Random(2)
    named = ["Ü-1", "a:b,c", "'; --", "1" * 170, "\U0001f600"]
    for serial in named * 4:
        facts.commit(engine, [_of(a_picture(rng), serial + str(rng.random()))])
    assert sample(engine)
    drawn = {key for key in facts.parts() if value(key, b"\xff\x00\x80" * 5) < 0.5}
    assert set(sample(engine)) == drawn


def _of(record: InspectionRecord, serial: str) -> InspectionRecord:
    return replace(
        record, part=serial, verdict=Verdict.PASS, defect_class="ok", pass_number=None, views=None
    )


def test_the_share_is_the_one_of_the_time_at_which_a_part_was_made(engine: Engine) -> None:
    """Registered anew, or late to come: what was made before is drawn by what held then."""
    a_plant_that_audits(engine, 1.0)
    facts = play(engine, 2)
    before = sample(engine)
    a_plant_again(engine, 0.5)
    noon = DAY + timedelta(hours=5, minutes=45)
    with transaction(engine) as connection:
        newest = table_of(AuditShare).c.share == 0.5
        connection.execute(update(table_of(AuditShare)).where(newest).values(since=noon))
    late = [replace(a_picture(random.Random(n)), views=None) for n in range(900, 1300)]
    facts.commit(engine, [one for one in late if not one.part])
    found, parts = sample(engine), facts.parts()
    assert {key: found[key] for key in before} == before
    final = {k: part for k, part in parts.items() if part.model.disposition != "open"}
    for key in final.keys() - before.keys():
        share = 0.5 if as_row(final[key])["slice_at"] >= noon else 1.0
        assert (key in found) == (value(key) < share)
        assert key not in found or found[key]["share"] == share
    assert {row["share"] for row in found.values()} == {0.5, 1.0}


def test_what_was_made_before_the_audit_is_not_drawn(engine: Engine) -> None:
    a_plant(engine, audit_share=1.0)
    play(engine, 2)
    assert sample(engine) == {}


def a_plant_again(engine: Engine, share: float) -> None:
    classes = [{"code": "ok", "good": True}, {"code": "bent"}, {"code": "burnt"}]
    said = {"product": PRODUCT, "classes": classes, "pass_gap_s": 600.0, "audit_share": share}
    with transaction(engine) as connection:
        register(connection, parse_product(said, "a test"))
        register(connection, parse_product(said, "a test"))  # the same again changes nothing


def test_a_pass_that_is_no_more_is_in_no_sample(engine: Engine) -> None:
    a_plant_that_audits(engine, 1.0)
    facts = play(engine, 3, pictures=80)
    assert {key for key in sample(engine) if key[0]} <= {
        key for key in stored_parts(engine) if key[0]
    }
    assert len({key for key in sample(engine) if key[0]}) > 5
    check(engine, facts)


def test_a_pass_that_a_purge_took_stays_in_the_sample(engine: Engine) -> None:
    a_plant_that_audits(engine, 1.0)
    said = {"part": "A", "product": PRODUCT, "verdict": Verdict.PASS, "defect_class": "ok"}
    for days in (0, 2):
        at = DAY + timedelta(days=days)
        commit_inspections(engine, [a_record(**said, captured_at=at, decided_at=at)], UTC)
    before = sample(engine)
    assert sorted(before) == [("A", "", 1), ("A", "", 2)]
    everything, end = (PRODUCT, [PRODUCT]), DAY + timedelta(days=5)
    while committed(engine, purge_inspections, everything, end, 20):
        pass
    while committed(engine, purge_rollups, everything, end, 20):
        pass
    assert stored_parts(engine) == {}
    later = DAY + timedelta(days=6)
    commit_inspections(engine, [a_record(**said, captured_at=later, decided_at=later)], UTC)
    assert sorted(stored_parts(engine)) == [("A", "", 1)]
    assert sample(engine) == before


def test_each_product_has_a_secret_that_registering_again_keeps(engine: Engine) -> None:
    a_plant(engine)
    with reading(engine) as connection:
        seeds = connection.execute(select(AuditSeed.seed)).scalars().all()
    a_plant_again(engine, 0.5)
    with reading(engine) as connection:
        assert connection.execute(select(AuditSeed.seed)).scalars().all() == seeds
    assert len(seeds[0]) == 32

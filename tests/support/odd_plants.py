"""Plants that a page may find itself in: empty, with one part, purged, with hostile names."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, update

from db import alerts
from db.base import table_of
from db.inspections import dead_letters
from db.labels import decisions
from db.labels.decisions import NewDecision
from db.retention.queries import purge_inspections
from db.session import transaction
from db.tables import Inspection
from producer.contract import Reason, Verdict
from tests.support import review
from tests.support.bench import CODES, Bench, few_parts
from tests.support.committed import committed
from tests.support.every_page import Things

XSS = '"><script>document.title="owned"</script><img src=x onerror=alert(1)>'
MANY = 10_000


def empty(_: Engine, __: Path) -> Things:
    """Nothing at all."""
    return Things()


def one_part(engine: Engine, _: Path) -> Things:
    """A single open part, without a label, a decision or a model; its picture's file is gone."""
    things = Things()
    review.a_product(engine)
    _plant(engine, things)
    return things


def without_labels(engine: Engine, folder: Path) -> Things:
    """A model that learned from sentences alone, and parts that nobody labelled."""
    bench = Bench(engine, few_parts(folder))
    version = bench.zero_shot()
    bench.promote(version)
    for code in CODES:
        bench.pictures(code, 2, label=False, model_version=version, line="L1", lot="LOT-1")
    bench.pictures("bent", 1, label=False, model_version=version, part="P-1")
    _letter(engine, Things())
    return Things(product="cable", version=version)


def purged(engine: Engine, _: Path) -> Things:
    """A part whose pictures' rows are purged, and one whose file alone is."""
    things = Things()
    review.a_product(engine)
    _plant(engine, things)
    bare = review.a_view("P-2", 7200, lot=things.lot)
    review.commit(engine, [bare])
    with transaction(engine) as connection:
        t = table_of(Inspection)
        connection.execute(update(t).where(t.c.id == bare.id).values(image_uri=None))
        until = review.NOW + timedelta(hours=1)
        assert purge_inspections(connection, (things.product, [things.product]), until, 10) == 1
    return things


def many_classes(engine: Engine, _: Path) -> Things:
    """A product with ten thousand classes."""
    things = Things(defect_class="class-5000")
    classes = [{"code": f"class-{n}", "good": n == 0} for n in range(MANY)]
    review.a_product(engine, classes=classes)
    _plant(engine, things)
    return things


def named(name: str) -> Callable[[Engine, Path], Things]:
    """Where everything has `name`, decided and alerted about too."""

    def make(engine: Engine, _: Path) -> Things:
        things = Things(review.PRODUCT, name, name, name, name, name, name, defect_class=name)
        review.a_product(engine)
        _plant(engine, things)
        said = NewDecision(things.product, name, "bent", name, why=name)
        committed(engine, decisions.add, [said])
        return things

    return make


def _plant(engine: Engine, things: Things) -> None:
    fields: dict[str, Any] = {
        "line": things.line,
        "camera": things.camera,
        "lot": things.lot,
        "work_order": things.lot,
        "image_uri": f"/nowhere/{things.part}"[:4096],
        "defect_class": things.defect_class,
        "model_version": things.version,
        "worker": things.line,
        "product": things.product,
    }
    review.commit(engine, [review.a_view(things.part, verdict=Verdict.REVIEW, **fields)])
    _letter(engine, things)
    committed(
        engine,
        alerts.raise_alert,
        kind="drift",
        severity="critical",
        message=things.line,
        line=things.line,
    )


def _letter(engine: Engine, things: Things) -> None:
    committed(
        engine,
        dead_letters.add,
        reason=Reason.POISON,
        detail=things.line,
        payload=json.dumps({"line": things.line}),
        task_id=things.message,
    )

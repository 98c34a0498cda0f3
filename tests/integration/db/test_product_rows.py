"""Products in the database: options apart, rows of later versions, and one that is broken."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, select, text

from db import alerts, products
from db.session import reading, transaction
from db.tables import Product
from linewatch.commands.products import command
from linewatch.doctor.diagnosis import _database
from linewatch.doctor.findings import State
from linewatch.errors import ProductError
from linewatch.products import parse_product
from linewatch.settings import Settings
from model_store.store import ModelStore
from tests.support.committed import committed
from tests.support.spaces import bare_spaces
from tests.unit.linewatch.test_product_options import ALL, BASE
from workers.retention.purge import Purge
from workers.serving.residency import Residency

OF_0_1_0 = {"product", "name", "image_size", "retention", "costs", "classes"}


def spoil(engine: Engine, code: str, **change: Any) -> None:
    """Change a row's `spec` as another version, or a hand, might."""
    with transaction(engine) as connection:
        spec = connection.execute(select(Product.spec).where(Product.code == code)).scalar_one()
        connection.execute(
            text("UPDATE products SET spec = :spec WHERE code = :code"),
            {"spec": json.dumps({**spec, **change}), "code": code},
        )


@pytest.fixture
def two(engine: Engine) -> Engine:
    for code in ("plug", "strip"):
        committed(engine, products.register, parse_product({**BASE, "product": code}, "t"))
    return engine


def test_options_lie_where_0_1_0_does_not_look(engine: Engine) -> None:
    spec = parse_product({**BASE, **ALL}, "t")
    committed(engine, products.register, spec)
    assert products.get(engine, "plug") == spec
    assert products.all_products(engine) == {"plug": spec}
    with reading(engine) as connection:
        row = connection.execute(select(Product.spec, Product.options)).one()
    assert row.spec.keys() == OF_0_1_0
    assert row.options == ALL
    committed(engine, products.register, parse_product(BASE, "t"))  # again, without them
    with reading(engine) as connection:
        assert connection.execute(select(Product.options)).scalar() is None
    assert products.get(engine, "plug") == parse_product(BASE, "t")


def test_a_row_of_a_later_version_is_read_and_said_once(
    two: Engine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(two, "plug", tilt=3)
    monkeypatch.setattr(products, "_SAID", set())
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        assert products.all_products(two).keys() == {"plug", "strip"}
    said = [r.getMessage() for r in caplog.records if "tilt" in r.getMessage()]
    assert len(said) == 1
    assert said[0].startswith("product plug in the database was registered by a later Linewatch")


def test_a_broken_row_is_no_matter_of_the_others(two: Engine, settings: Settings) -> None:
    residency = Residency(
        two,
        ModelStore(settings.models_url),
        spaces=bare_spaces(two, "f" * 64),
        poll_s=9,
    )
    residency.refresh()
    spoil(two, "plug", classes=[])
    found = products.catalogue(two)
    assert found.products.keys() == {"strip"}
    assert found.broken["plug"].startswith("product plug in the database: classes")
    with pytest.raises(ProductError, match="classes"):
        products.get(two, "plug")
    assert products.get(two, "strip") is not None
    # A running worker goes on with what it knew, and says so; one that starts names the reason.
    residency.refresh()
    assert residency.product("plug") is not None
    assert [a.product for a in alerts.open_alerts(two) if a.kind == "product_refused"] == ["plug"]
    fresh = Residency(
        two,
        ModelStore(settings.models_url),
        spaces=bare_spaces(two, "f" * 64),
        poll_s=9,
    )
    fresh.refresh()
    assert fresh.product("plug") is None
    assert fresh.product("strip") is not None
    assert "classes" in str(fresh.product_problem("plug"))
    # Nothing of it is purged by limits that may not be its own.
    keeping = settings.model_copy(update={"retention_inspections_days": 1.0})
    due = {row.product for row in Purge(two, keeping, by="t").preview()}
    assert "plug" not in due
    assert "strip" in due
    committed(two, products.register, parse_product(BASE, "t"))
    fresh.refresh()
    assert not [a for a in alerts.open_alerts(two) if a.kind == "product_refused"]


def test_commands_register_and_list_what_is_good(settings: Settings, tmp_path: Path) -> None:
    from db.session import engine_for

    folder = tmp_path / "products"
    folder.mkdir()
    (folder / "a.yaml").write_text(json.dumps({**BASE, "product": "a", "fti": "pad"}))
    (folder / "b.yaml").write_text(json.dumps({**BASE, "product": "b"}))
    run = CliRunner().invoke(command, ["register", *map(str, sorted(folder.iterdir()))])
    assert "b: 2 classes" in run.output
    assert "a.yaml: there is no key 'fti' (is 'fit' meant?)" in str(run.exception)
    engine = engine_for(settings.sql_url)
    assert products.all_products(engine).keys() == {"b"}
    committed(engine, products.register, parse_product({**BASE, "product": "c"}, "t"))
    spoil(engine, "c", classes=[])
    run = CliRunner().invoke(command, ["list"])
    assert (run.exit_code, "b" in run.output) == (0, True)
    assert "product c in the database: classes" in run.output
    findings = {f.state: f.detail for f in _database(settings) if f.check == "products"}
    assert findings[State.OK] == "b"
    assert "product c" in findings[State.FAIL]

"""Products: what their files say, kept where every worker can read it."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, delete, select

from db import audit
from db.base import table_of
from db.session import reading, transaction
from db.tables import DefectClass, Product
from db.upsert import insert_into
from linewatch.products import ProductSpec, parse_product


def register(engine: Engine, spec: ProductSpec, *, by: str = "linewatch") -> None:
    """Add a product, or replace what was known of it; what was inspected keeps its rows."""
    products = table_of(Product)
    row = {
        "code": spec.product,
        "name": spec.name,
        "spec": spec.model_dump(mode="json"),
        "created_at": datetime.now(UTC),
    }
    with transaction(engine) as connection:
        statement = insert_into(connection, products)
        statement = statement.on_conflict_do_update(
            index_elements=[products.c.code],
            set_={"name": statement.excluded.name, "spec": statement.excluded.spec},
        )
        connection.execute(statement, row)
        _replace_classes(connection, spec)
        audit.append_within(
            connection, by, "product.register", spec.product, {"classes": list(spec.class_codes)}
        )


def _replace_classes(connection: Connection, spec: ProductSpec) -> None:
    classes = table_of(DefectClass)
    connection.execute(delete(classes).where(classes.c.product == spec.product))
    rows = [
        {
            "product": spec.product,
            "code": item.code,
            "good": item.good,
            "prompts": list(item.prompts),
            "position": position,
        }
        for position, item in enumerate(spec.classes)
    ]
    connection.execute(classes.insert(), rows)


def get(engine: Engine, code: str) -> ProductSpec | None:
    """The product called `code`, or None.

    Raises:
        ProductError: its row was written by a version of Linewatch that knew other fields.
    """
    with reading(engine) as connection:
        spec = connection.execute(select(Product.spec).where(Product.code == code)).scalar()
    return None if spec is None else parse_product(spec, source=f"product {code} in the database")


def all_products(engine: Engine) -> dict[str, ProductSpec]:
    """Every product by its code, in order.

    Raises:
        ProductError: see `get`.
    """
    with reading(engine) as connection:
        rows = connection.execute(select(Product.code, Product.spec).order_by(Product.code)).all()
    return {
        code: parse_product(spec, source=f"product {code} in the database") for code, spec in rows
    }

"""Products: what their files say, kept where every worker can read it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, select

from db import audit
from db.audit_sample import shares
from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.tables import DefectClass, Product
from db.upsert import insert_into
from linewatch.errors import ProductError, UnknownProductError
from linewatch.nearest import did_you_mean
from linewatch.products import ProductSpec, parse_stored_product

log = logging.getLogger(__name__)

# What 0.1.0 knows. It reads `spec` alone, and takes no key more: the others go into `options`.
FIRST_KEYS = frozenset({"product", "name", "image_size", "retention", "costs", "classes"})
REGISTER_AGAIN = "{problem}; register it again"
_MOST_SAID = 1000
_SAID: set[str] = set()


def register(
    connection: Connection, spec: ProductSpec, *, by: str = "linewatch", new: bool = False
) -> None:
    """Add a product, or replace what was known of it; what was inspected keeps its rows.

    Args:
        new: it must not be there yet.

    Raises:
        ProductError: it is new, and there is one of this code.
    """
    products = table_of(Product)
    fields = spec.model_dump(mode="json")
    options = {n: v for n, v in fields.items() if n not in FIRST_KEYS and v is not None}
    row = {
        "code": spec.product,
        "name": spec.name,
        "spec": {name: value for name, value in fields.items() if name in FIRST_KEYS},
        "options": options or None,
        "created_at": database_now(connection),
    }
    statement = insert_into(connection, products)
    if new:
        statement = statement.on_conflict_do_nothing(index_elements=[products.c.code])
    else:
        statement = statement.on_conflict_do_update(
            index_elements=[products.c.code],
            set_={name: statement.excluded[name] for name in ("name", "spec", "options")},
        )
    written = connection.execute(statement.returning(products.c.code), row)
    if written.one_or_none() is None:
        raise ProductError(f"there is a product {spec.product!r}; open that one")
    _replace_classes(connection, spec)
    shares.register(connection, spec.product)
    audit.append(
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


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The products that can be read, and what is wrong with the others, each by its code."""

    products: dict[str, ProductSpec]
    broken: dict[str, str]


def get(engine: Engine, code: str) -> ProductSpec | None:
    """The product called `code`, or None.

    Raises:
        ProductError: its row cannot be read, see `catalogue`.
    """
    query = select(Product.spec, Product.options).where(Product.code == code)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _parsed(code, row.spec, row.options)


def locked(connection: Connection, code: str) -> ProductSpec | None:
    """The product called `code`, or None; nobody else changes it until the transaction ends.

    Raises:
        ProductError: its row cannot be read, see `catalogue`.
    """
    query = select(Product.spec, Product.options).where(Product.code == code).with_for_update()
    row = connection.execute(query).one_or_none()
    return None if row is None else _parsed(code, row.spec, row.options)


def catalogue(engine: Engine) -> Catalogue:
    """Every product, in order. One that cannot be read is no matter of the others.

    Rows of a later version are read: what this one does not know of them is left out, and logged.
    """
    query = select(Product.code, Product.spec, Product.options).order_by(Product.code)
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    found = Catalogue({}, {})
    for code, spec, options in rows:
        try:
            found.products[code] = _parsed(code, spec, options)
        except ProductError as error:
            found.broken[code] = str(error)
            _say(logging.ERROR, REGISTER_AGAIN.format(problem=error))
    return found


def require(engine: Engine, code: str) -> ProductSpec:
    """The product called `code`.

    Raises:
        UnknownProductError: it is not registered; names the nearest that is.
        ProductError: see `get`.
    """
    spec = get(engine, code)
    if spec is None:
        raise unknown(engine, code)
    return spec


@dataclass(frozen=True, slots=True)
class Classes:
    """A product's classes, in its file's order; `good` passes, or is None where all are defects."""

    codes: tuple[str, ...]
    good: str | None


def classes(engine: Engine, code: str) -> Classes:
    """The classes of a product.

    Raises:
        UnknownProductError: it is not registered; names the nearest that is.
    """
    c = table_of(DefectClass).c
    query = select(c.code, c.good).where(c.product == code).order_by(c.position)
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    if not rows:
        raise unknown(engine, code)
    return Classes(tuple(row.code for row in rows), next((r.code for r in rows if r.good), None))


def codes(engine: Engine) -> list[str]:
    """The code of every product, in order; their files are not read."""
    with reading(engine) as connection:
        return list(connection.execute(select(Product.code).order_by(Product.code)).scalars())


def unknown(engine: Engine, code: str) -> UnknownProductError:
    """What to say of a product that is not registered."""
    known = codes(engine)
    hint = did_you_mean(code, known) or (
        "; see `linewatch products list`"
        if known
        else "; register it with `linewatch products register FILE`"
    )
    return UnknownProductError(f"no product is called {code!r}{hint}")


def all_products(engine: Engine) -> dict[str, ProductSpec]:
    """Every product that can be read, by its code, in order."""
    return catalogue(engine).products


def _parsed(code: str, spec: object, options: object) -> ProductSpec:
    whole = spec
    if isinstance(spec, Mapping) and isinstance(options, Mapping):
        whole = {**spec, **options}
    source = f"product {code} in the database"
    product, left_out = parse_stored_product(whole, source)
    if left_out:
        _say(
            logging.WARNING,
            f"{source} was registered by a later Linewatch; this one leaves out "
            f"{', '.join(left_out)}",
        )
    return product


def _say(level: int, sentence: str) -> None:
    """Log it once: workers read the products every second."""
    if sentence not in _SAID:
        if len(_SAID) > _MOST_SAID:
            _SAID.clear()
        _SAID.add(sentence)
        log.log(level, sentence)

"""Products and their classes: whether what a person says has a meaning here."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from db.tables import DefectClass, Product
from linewatch.errors import LabelError, UnknownProductError
from linewatch.nearest import did_you_mean, some_of

TAKEN_BACK = ""  # said instead of a class: what people said before holds no more


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The classes of some products, in their order, with whether each is the good one."""

    classes: Mapping[str, Mapping[str, bool]]
    products: Collection[str]

    @classmethod
    def of(cls, connection: Connection, products: Collection[str | None]) -> Vocabulary:
        """Read the classes of `products`; those that are not registered have none.

        Until the transaction's end nobody registers these products anew: what is said in their
        words would be of classes that are gone.
        """
        named = sorted({product for product in products if product is not None})
        if named:  # in order, as whoever locks several must; on SQLite the transaction is alone
            mine = select(Product.code).where(Product.code.in_(named)).order_by(Product.code)
            connection.execute(mine.with_for_update(read=True))
        query = select(DefectClass.product, DefectClass.code, DefectClass.good)
        query = query.where(DefectClass.product.in_(named)).order_by(DefectClass.position)
        classes: dict[str, dict[str, bool]] = {}
        for product, code, good in connection.execute(query):
            classes.setdefault(product, {})[code] = good
        every = connection.execute(select(Product.code).order_by(Product.code)).scalars().all()
        return cls(classes, every)

    def refuse_unknown(self, product: str, label: str, *, where: str = "") -> None:
        """Make sure that the product has this class.

        Args:
            product: its code.
            label: the class.
            where: where that was said, for the error.

        Raises:
            UnknownProductError: the product is not registered.
            LabelError: it has no such class.
        """
        place = f"{where}: " if where else ""
        self.refuse_unregistered(product, where=where)
        if label not in self.classes[product]:
            known = list(self.classes[product])
            raise LabelError(
                f"{place}product {product} has no class {label!r}; it has {some_of(known)}"
                f"{did_you_mean(label, known)}"
            )

    def refuse_unregistered(self, product: str, *, where: str = "") -> None:
        """Make sure that the product is registered.

        Raises:
            UnknownProductError: it is not.
        """
        place = f"{where}: " if where else ""
        if product not in self.classes:
            raise UnknownProductError(
                f"{place}no product is called {product!r}{did_you_mean(product, self.products)}"
            )

    def is_good(self, product: str, label: str) -> bool:
        """Whether it is the product's good class."""
        return self.classes[product][label]

"""The products there are, and a form for another one."""

from __future__ import annotations

from pydantic import Field

from console.access.roles import Role
from console.page import Context, NoQuery, Page, Visit
from db import products
from db.models import deployments


class ProductRow(Context):
    """A product."""

    product: str = Field(description="Its code.")
    name: str = Field(description="Its name.")
    classes: int = Field(description="How many classes it has.")
    model: str | None = Field(description="The version that serves; none: people decide all.")


class Products(Context):
    """The products that are set up."""

    products: list[ProductRow] = Field(description="By code.")
    broken: list[str] = Field(description="Sentences about those that cannot be read.")


def read(visit: Visit, query: NoQuery) -> Products:
    """All products."""
    known = products.catalogue(visit.site.engine)
    serving = deployments.champions(visit.site.engine)
    rows = [
        ProductRow(
            product=spec.product,
            name=spec.name,
            classes=len(spec.classes),
            model=serving.get(spec.product),
        )
        for spec in known.products.values()
    ]
    return Products(products=rows, broken=list(known.broken.values()))


PAGE = Page(
    name="products",
    path="/products",
    title="Products",
    role=Role.ENGINEER,
    query=NoQuery,
    context=Products,
    read=read,
    template="products/page.html",
    rows="products",
    menu=60,
)

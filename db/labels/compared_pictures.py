"""What a comparison of two models reads of a product's pictures: their parts and golden sets."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Engine

from db.labels import golden_members, golden_sets
from db.labels.picture_parts import Unit, parts_of_pictures
from db.session import reading


class GoldenPictures(NamedTuple):
    """A product's golden pictures.

    Attributes:
        name: of the set that is compared on.
        members: its pictures, and the class that each shows; empty where there is no such set.
        digest: of the members; None where there are none.
        others: the names of the product's other golden sets.
        every: the pictures of all of them.
    """

    name: str
    members: Mapping[UUID, str]
    digest: str | None
    others: list[str]
    every: frozenset[UUID]


def golden_pictures(engine: Engine, product: str, named: str) -> GoldenPictures:
    """The golden pictures; `named` is LINEWATCH_GOLDEN_SET."""
    name = golden_sets.usual(engine, product, named)
    others = [one.set_name for one in golden_sets.all_sets(engine, product) if one.set_name != name]
    members = golden_members.members(engine, product, name)
    digest = golden_members.digest(members) if members else None
    every = golden_members.every_member(engine, product)
    return GoldenPictures(name, members, digest, others, every)


def parts_with_golden(
    engine: Engine, product: str, labelled: Collection[UUID], by: Unit
) -> dict[UUID, str]:
    """The name of the part, or lot, of each labelled or golden picture."""
    pictures = {*labelled, *golden_members.every_member(engine, product)}
    with reading(engine) as connection:
        return parts_of_pictures(connection, product, pictures, by)

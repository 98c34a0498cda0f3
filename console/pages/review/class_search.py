"""Finding a class of a product by a piece of its name."""

# No `from __future__ import annotations`: FastAPI reads the types of the functions made here.
import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from console.access.roles import Role, opened_to
from console.page import API, Context
from console.site import site_of
from db import products

router = APIRouter()
_MOST = 20


class FoundClass(Context):
    """A class that was found."""

    code: str = Field(description="As the product file has it.")
    good: bool = Field(description="Whether a part of it conforms.")


class FoundClasses(Context):
    """The classes whose name holds what was typed, the best match first."""

    classes: list[FoundClass] = Field(description=f"At most {_MOST}.")
    more: bool = Field(description="Whether there are more than are shown.")


@router.get(
    f"{API}/classes",
    openapi_extra=opened_to(Role.INSPECTOR),
    operation_id="find_classes",
    summary="Classes by a piece of their name",
)
def find_classes(
    request: Request,
    product: Annotated[str, Query(description="Whose.", max_length=200)],
    q: Annotated[str, Query(description="A piece of a name; capitals do not count.")] = "",
) -> FoundClasses:
    """Those that are called so, then those that begin so, then those with a word that does."""
    known = products.classes(site_of(request).engine, product)
    found = matching(known.codes, q)
    shown = [FoundClass(code=code, good=code == known.good) for code in found[:_MOST]]
    return FoundClasses(classes=shown, more=len(found) > _MOST)


def matching(codes: Sequence[str], typed: str) -> list[str]:
    """The codes that hold what was typed, the best match first, else in their order."""
    wanted = typed.strip().casefold()
    ranked = [(_rank(code.casefold(), wanted), code) for code in codes]
    held = [one for one in ranked if one[0] is not None]
    return [code for _, code in sorted(held, key=lambda one: one[0] or 0)]


def _rank(code: str, wanted: str) -> int | None:
    """0: the same, 1: begins so, 2: a word of it begins so, 3: holds it; None: does not."""
    if code == wanted:
        return 0
    if code.startswith(wanted):
        return 1
    if wanted not in code:
        return None
    return 2 if re.search(rf"[^a-z0-9]{re.escape(wanted)}", code) else 3

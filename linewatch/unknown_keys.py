"""Keys that a file or a stored row has and this version does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from linewatch.nearest import nearest

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_LONGEST = 40  # characters of a key that are shown


def short(name: object) -> str:
    """A name as a sentence may show it: quoted, in ASCII, not too long."""
    return f"{str(name)[:_LONGEST]!a}"


def without_unknown(model: type[BaseModel], data: object, at: str = "") -> tuple[Any, list[str]]:
    """`data` with those keys only that `model` knows, at every depth, and words for each other key.

    The words are like `'classes.0.promts' (is 'prompts' meant?)`.
    """
    if isinstance(data, list | tuple):
        parts = [without_unknown(model, part, f"{at}{n}.") for n, part in enumerate(data)]
        return [part for part, _ in parts], [words for _, said in parts for words in said]
    if not isinstance(data, Mapping):
        return data, []
    known: dict[str, Any] = {}
    unknown: list[str] = []
    for name, value in data.items():
        info = model.model_fields.get(name) if isinstance(name, str) else None
        if info is None:
            near = nearest(str(name)[:_LONGEST], model.model_fields)
            words = short(f"{at}{name}")
            unknown.append(f"{words} (is {near!r} meant?)" if near else words)
            continue
        inner = model_in(info.annotation)
        if inner is not None:
            value, more = _inner(inner, info.annotation, value, f"{at}{name}.")
            unknown += more
        known[name] = value
    return known, unknown


def _inner(
    model: type[BaseModel], annotation: Any, value: object, at: str
) -> tuple[Any, list[str]]:
    """The same for a field's value; the keys of a `dict[str, model]` are anybody's."""
    if not (_is_table(annotation) and isinstance(value, Mapping)):
        return without_unknown(model, value, at)
    found = {key: without_unknown(model, part, f"{at}{key}.") for key, part in value.items()}
    known = {key: part for key, (part, _) in found.items()}
    return known, [words for _, said in found.values() for words in said]


def _is_table(annotation: Any) -> bool:
    """Whether an annotation is `dict[…]`, or may be."""
    return get_origin(annotation) is dict or any(map(_is_table, get_args(annotation)))


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation is made of, if any: `X`, `X | None`, `tuple[X, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (model_in(part) for part in get_args(annotation))
    return next((model for model in found if model is not None), None)


def problems(error: ValidationError) -> str:
    """What is wrong, field by field, in one line.

    A list counts as too short where all within it is wrong; of these, only what is within is said.
    """
    found = error.errors()
    return "; ".join(
        f"{'.'.join(map(str, p['loc'])) or 'file'}: {_said(p)}"
        for p in found
        if p["type"] != "too_short" or not any(_within(other, p) for other in found)
    )


def _within(inner: ErrorDetails, outer: ErrorDetails) -> bool:
    length = len(outer["loc"])
    return len(inner["loc"]) > length and inner["loc"][:length] == outer["loc"]


def _said(problem: ErrorDetails) -> str:
    if problem["type"] == "model_type":
        return "is no table of keys and values"
    return problem["msg"].removeprefix("Value error, ")

"""Fields of a message that this version does not know.

A worker may be older than the camera. If it refused a message for a field that it does not know,
its receipt would make the spool forget a part that nobody judged; if it left the field out of
account, the part could pass although the field says that it must not (or that it is another part:
a misspelt `part` is unknown too). So the picture is judged by what is understood, a pass becomes
`review` with the reason `unknown_fields`, the row and an alert name the fields, and a dead letter
keeps them. A defect stays a defect: it stops the part as surely as a review does.

Known fields with wrong values are refused as ever. The signature covers unknown fields too, since
it is over the whole message. The published schema still forbids them: who writes messages should
hear of a misspelling before a worker does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import BaseModel

from linewatch.nearest import nearest
from linewatch.unknown_keys import model_in, short

_DEEPEST = 32  # levels of an unknown value: it is written into dead letters, by recursion
_NAMED = 5  # fields that a sentence names
ONE = "this worker does not know the field {fields}; correct the spelling, or update the workers"
SEVERAL = (
    "this worker does not know the fields {fields}; correct the spelling, or update the workers"
)
MORE = "… and {n} more"
MEANT = "{field} (is {near} meant?)"


@dataclass(frozen=True, slots=True)
class Unknown:
    """Unknown fields of a picture and of its envelope, with their values; mostly none."""

    image: Mapping[str, Any] = field(default_factory=dict)
    envelope: Mapping[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.image or self.envelope)


def split(model: type[BaseModel], fields: object) -> tuple[Any, dict[str, Any]]:
    """Part an object into what `model` knows and the rest, objects of the model included.

    Returns:
        The known fields, and the others by name; of a nested object, `{"seen": {"x": 1}}`.
        What is no object comes back as it is.

    Raises:
        ValueError: an unknown value is nested too deep to be kept.
    """
    if not isinstance(fields, Mapping):
        return fields, {}
    known, rest = {}, {}
    models = _models(model)
    for name, value in fields.items():
        if name not in models:
            if _deeper(value, _DEEPEST):
                raise ValueError(f"{short(name)}: nested more than {_DEEPEST} levels deep")
            rest[name] = value
            continue
        inner = models[name]
        if inner is not None and isinstance(value, Mapping):
            value, more = split(inner, value)
            if more:
                rest[name] = more
        known[name] = value
    return known, rest


def joined(fields: Mapping[str, Any], rest: Mapping[str, Any]) -> dict[str, Any]:
    """The object that `split` parted."""
    whole = dict(fields)
    for name, value in rest.items():
        inner = whole.get(name)
        whole[name] = {**inner, **value} if isinstance(inner, Mapping) else value
    return whole


def explained(unknown: Unknown, models: tuple[type[BaseModel], type[BaseModel]]) -> str:
    """A sentence that names the fields, each with the known one that it may be meant to be.

    `models` are those of a picture and of an envelope.
    """
    words = []
    for rest, model in zip((unknown.image, unknown.envelope), models, strict=True):
        for name, value in rest.items():
            inner = _models(model).get(name)
            if inner is None:
                words.append(_named(name, name, model))
            else:
                words += [_named(f"{name}.{part}", part, inner) for part in value]
    fields = words[:_NAMED]
    if len(words) > _NAMED:
        fields.append(MORE.format(n=len(words) - _NAMED))
    return (SEVERAL if len(words) > 1 else ONE).format(fields=", ".join(fields))


@cache  # an annotation is slow to take apart, and a message has 64 pictures
def _models(model: type[BaseModel]) -> Mapping[str, type[BaseModel] | None]:
    """The fields of a model, each with the model that it holds, if any."""
    return {name: model_in(info.annotation) for name, info in model.model_fields.items()}


def _named(shown: str, name: str, model: type[BaseModel]) -> str:
    near = nearest(name[:40], model.model_fields)
    return MEANT.format(field=short(shown), near=repr(near)) if near else short(shown)


def _deeper(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping | list | tuple):
        return False
    return not levels or any(_deeper(part, levels - 1) for part in inner)  # type: ignore[attr-defined]

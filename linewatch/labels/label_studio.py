"""Labels in Label Studio's JSON: tasks with a choice of one class for a picture.

The form is that of its export "JSON" (https://labelstud.io/guide/export#JSON), which it imports
too. A task made here carries the picture's id in its data, and so comes back to the same picture
whatever Label Studio makes of the file's place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO
from uuid import UUID

from sqlalchemy import Engine

from db.labels.history import Statement
from db.labels.labels import NewLabel
from db.labels.lookup import newest_by
from linewatch.errors import LabelError
from linewatch.labels.import_labels import Told, said_at

FROM_NAME, TO_NAME = "class", "image"
SOURCE = "label-studio"
_ANSWER = {"from_name": FROM_NAME, "to_name": TO_NAME, "type": "choices"}
_EXPORT = 'export it from Label Studio as "JSON", not as "JSON-MIN" or CSV'


def interface(classes: Sequence[str]) -> str:
    """The labelling interface that a project needs, as Label Studio's XML."""
    from xml.sax.saxutils import quoteattr

    choices = "\n".join(f"    <Choice value={quoteattr(one)}/>" for one in classes)
    return (
        f'<View>\n  <Image name="{TO_NAME}" value="$image" zoom="true"/>\n'
        f'  <Choices name="{FROM_NAME}" toName="{TO_NAME}" choice="single" required="true">\n'
        f"{choices}\n  </Choices>\n</View>\n"
    )


def tasks(rows: Sequence[Statement], parts: Sequence[str]) -> list[dict[str, Any]]:
    """A task for each labelled picture, with its label as an annotation.

    Args:
        rows: the labels that hold.
        parts: the split of each.
    """
    return [_task(row, split) for row, split in zip(rows, parts, strict=True)]


def _task(row: Statement, split: str) -> dict[str, Any]:
    return {
        "data": {
            "image": row.image_uri or "",
            "inspection_id": str(row.inspection_id),
            "sha256": row.image_sha256,
            "part": row.part,
            "split": split,
        },
        "annotations": [
            {
                "result": [{**_ANSWER, "value": {"choices": [row.label]}}],
                "created_at": row.labelled_at.isoformat(),
                "completed_by": {"email": row.labelled_by},
                "was_cancelled": False,
            }
        ],
    }


def write_tasks(stream: TextIO, rows: Sequence[Statement], parts: Sequence[str]) -> None:
    """Write what `tasks` says."""
    json.dump(tasks(rows, parts), stream, indent=1, ensure_ascii=False)
    stream.write("\n")


def told(engine: Engine, data: bytes, source: str, *, by: str, product: str | None) -> Told:
    """The labels of an export; tasks that nobody answered are left out.

    Args:
        engine: the database that knows the pictures.
        data: of the file.
        source: its name, for errors.
        by: who labelled, where the file does not say.
        product: whose pictures they are; None: it does not matter.

    Raises:
        LabelError: it is no such export, a picture is not known, or an answer is no single class.
    """
    found = _parsed(data, source)
    answers = [
        (place, task, one)
        for number, task in enumerate(found, start=1)
        for place in [f"{source}, task {task.get('id', number)}"]
        for one in _answers(task, place)
    ]
    ids = _ids(engine, [task for _, task, _ in answers], product)
    labels = [
        NewLabel(
            inspection_id=_known(ids, task, place),
            label=_choice(one, place),
            labelled_by=_person(one) or by,
            source=SOURCE,
            labelled_at=_at(one, place),
            where=place,
            product=product,
        )
        for place, task, one in answers
    ]
    return Told(labels=labels)


def _parsed(data: bytes, source: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise LabelError(f"{source} is no JSON ({error}); {_EXPORT}") from None
    tasks_ = found if isinstance(found, list) else [found]
    if not tasks_ or not all(
        isinstance(one, dict) and isinstance(one.get("data"), dict) for one in tasks_
    ):
        raise LabelError(f"{source} has no tasks with data; {_EXPORT}")
    return tasks_


def _answers(task: Mapping[str, Any], place: str) -> Iterator[Mapping[str, Any]]:
    """The annotations that hold a choice, of those that were not cancelled."""
    annotations = task.get("annotations") or []
    if not isinstance(annotations, list):
        raise LabelError(f"{place}: its annotations are no list; {_EXPORT}")
    for one in annotations:
        if isinstance(one, dict) and not one.get("was_cancelled") and list(_choices(one)):
            yield one


def _choices(annotation: Mapping[str, Any]) -> Iterator[str]:
    results = annotation.get("result")
    for one in results if isinstance(results, list) else ():
        value = one.get("value") if isinstance(one, dict) else None
        chosen = value.get("choices") if isinstance(value, dict) else None
        yield from map(str, chosen if isinstance(chosen, list) else ())


def _choice(annotation: Mapping[str, Any], place: str) -> str:
    first, *others = _choices(annotation)
    if others:
        raise LabelError(f"{place}: it has several classes, {first!r} and {others[0]!r}; keep one")
    return first


def _person(annotation: Mapping[str, Any]) -> str:
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        return str(who.get("email") or who.get("username") or who.get("id") or "")
    return "" if who is None else f"{SOURCE} {who}"


def _at(annotation: Mapping[str, Any], place: str) -> datetime | None:
    text = annotation.get("updated_at") or annotation.get("created_at")
    return said_at(None if text is None else str(text), place)


def _ids(
    engine: Engine, found: Sequence[Mapping[str, Any]], product: str | None
) -> dict[str, UUID]:
    """Pictures by what tasks say of them: a place, or the SHA-256 of the file."""
    places = [str(task["data"].get("image") or "") for task in found]
    digests = [str(task["data"].get("sha256") or "") for task in found]
    by_place = newest_by(engine, "image_uri", [one for one in places if one], product)
    return by_place | newest_by(engine, "image_sha256", [one for one in digests if one], product)


def _known(ids: Mapping[str, UUID], task: Mapping[str, Any], place: str) -> UUID:
    data = task["data"]
    try:
        return UUID(str(data.get("inspection_id")))
    except ValueError:
        pass
    for name in ("sha256", "image"):
        if (id_ := ids.get(str(data.get(name)))) is not None:
            return id_
    raise LabelError(
        f"{place}: no inspected picture is {str(data.get('image'))[:200]!r}; keep `inspection_id` "
        "in the task's data, as `linewatch labels export --format label-studio` writes it"
    )

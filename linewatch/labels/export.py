"""Writes labels for other programs: CSV, COCO classification JSON, a tree of class folders."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from db.labels.history import Statement
from linewatch.errors import LabelError
from linewatch.settings import Settings

_COLUMNS = (
    "id", "label", "split", "part", "uri", "sha256", "labelled_by", "labelled_at", "source", "note"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Left:
    """A picture that a tree leaves out, and why."""

    id: str
    why: str


def write_csv(stream: TextIO, rows: Sequence[Statement], parts: Sequence[str]) -> None:
    """A row a picture; `labels import` reads it back. No cell runs as a spreadsheet's formula."""
    from linewatch.csv_cell import csv_cell, csv_line

    stream.write(csv_line(_COLUMNS))
    for row, split in zip(rows, parts, strict=True):
        cells = (
            str(row.inspection_id), row.label, split, row.part, row.image_uri, row.image_sha256,
            row.labelled_by, row.labelled_at.isoformat(), row.source, row.note,
        )  # fmt: skip
        stream.write(csv_line([csv_cell(cell) for cell in cells]))


def coco(
    rows: Sequence[Statement], parts: Sequence[str], classes: Sequence[str], product: str
) -> dict[str, Any]:
    """COCO's layout with one annotation a picture and no boxes: classification."""
    numbers = {name: number for number, name in enumerate(classes, start=1)}
    return {
        "info": {
            "description": f"Labels of {product}",
            "date_created": datetime.now(UTC).isoformat(timespec="seconds"),
        },
        "categories": [{"id": number, "name": name} for name, number in numbers.items()],
        "images": [
            {
                "id": number,
                "file_name": row.image_uri,
                "split": split,
                "inspection_id": str(row.inspection_id),
                "sha256": row.image_sha256,
            }
            for number, (row, split) in enumerate(zip(rows, parts, strict=True), start=1)
        ],
        "annotations": [
            {
                "id": number,
                "image_id": number,
                "category_id": numbers[row.label],
                "labelled_by": row.labelled_by,
                "labelled_at": row.labelled_at.isoformat(),
            }
            for number, row in enumerate(rows, start=1)
        ],
    }


def write_coco(
    stream: TextIO,
    rows: Sequence[Statement],
    parts: Sequence[str],
    classes: Sequence[str],
    product: str,
) -> None:
    """Write what `coco` says. A label whose class the product no longer has keeps its name."""
    known = list(dict.fromkeys([*classes, *sorted({row.label for row in rows})]))
    json.dump(coco(rows, parts, known, product), stream, indent=1, ensure_ascii=False)
    stream.write("\n")


def write_tree(
    folder: Path,
    rows: Sequence[Statement],
    parts: Sequence[str],
    settings: Settings,
    *,
    copy: bool,
) -> tuple[Counter[str], list[Left]]:
    """Lay pictures out as `<split>/<class>/<id>.<suffix>`: links, or copies.

    Only pictures beneath the image roots are laid out, and only with the bytes that were judged.

    Returns:
        How many pictures each split got, and those that were left out.

    Raises:
        LabelError: `folder` is not empty or cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LabelError(f"{folder} is not empty; name a new folder, so that no old label stays")
    written: Counter[str] = Counter()
    left: list[Left] = []
    for row, split in zip(rows, parts, strict=True):
        source = _picture(row, settings)
        if isinstance(source, Left):
            left.append(source)
            continue
        path, data = source
        target = folder / split / row.label / f"{row.inspection_id}{path.suffix.lower()}"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if copy:
                target.write_bytes(data)
            else:
                target.symlink_to(path)
        except OSError as error:
            raise LabelError(f"{target} cannot be written: {error.strerror}") from None
        written[split] += 1
    return written, left


def _picture(row: Statement, settings: Settings) -> tuple[Path, bytes] | Left:
    from vision.decode import digest
    from vision.errors import Unjudgeable
    from vision.pictures import Pictures
    from vision.source import local_path

    name = str(row.inspection_id)
    if Path(row.label).name != row.label:
        return Left(name, f"its class {row.label!r} can be no folder's name")
    if row.image_uri is None:
        return Left(name, "its picture's place is not on record")
    if row.image_uri.startswith("s3://"):
        return Left(name, f"{row.image_uri} is no file that a link can name; copy it from there")
    try:
        pictures = Pictures.from_settings(settings)
        data = pictures.read(row.image_uri).data
        path = local_path(pictures.local(row.image_uri))
    except Unjudgeable as error:
        return Left(name, error.detail)
    if row.image_sha256 is not None and digest(data) != row.image_sha256:
        return Left(name, f"{row.image_uri} holds another picture than was judged")
    return Path(os.path.realpath(path)), data

"""Reading people's labels from files."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine

from db.finding import Known, newest_by
from db.labels import NewLabel
from linewatch.errors import LabelError

_KEYS: dict[str, Known | None] = {
    # CSV column: the inspection's column it is looked up in
    "id": None,
    "part": "part",
    "uri": "image_uri",
    "sha256": "image_sha256",
}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_CLOCKS_DIFFER = timedelta(minutes=5)


def read_csv(engine: Engine, path: Path, *, by: str) -> list[NewLabel]:
    """Labels from a CSV file with a `label` column and one of `id`, `part`, `uri`, `sha256`.

    `labelled_by`, `labelled_at`, `source` and `note` are kept where there are such columns.

    Raises:
        LabelError: with the line, when a column is missing or a picture is not known.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
            columns = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{path}: {error}") from None
    key = next((name for name in _KEYS if name in columns), None)
    if key is None or "label" not in columns:
        raise LabelError(
            f"{path}: needs a 'label' column and one of {', '.join(_KEYS)}; "
            f"found {', '.join(columns) or 'nothing'}"
        )
    ids = _look_up(engine, key, [_plain(row[key]) for row in rows])
    labels = []
    for number, row in enumerate(rows, start=2):
        found = ids.get(_plain(row[key]))
        if found is None:
            raise LabelError(f"{path}, line {number}: no inspected picture has {key} {row[key]!r}")
        labels.append(
            NewLabel(
                inspection_id=found,
                label=(row["label"] or "").strip(),
                labelled_by=_plain(row.get("labelled_by")) or by,
                source=_plain(row.get("source")) or "csv",
                labelled_at=_time(row.get("labelled_at"), f"{path}, line {number}"),
                note=_plain(row.get("note")),
            )
        )
    return labels


def _plain(cell: str | None) -> str:
    """A cell without the apostrophe that an export puts before what looks like a formula."""
    text = cell or ""
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA_STARTS else text


def _time(cell: str | None, where: str) -> datetime | None:
    if not cell:
        return None
    try:
        time = datetime.fromisoformat(cell)
    except ValueError:
        raise LabelError(f"{where}: {cell!r} is no time; write 2026-05-31T14:00:00+02:00") from None
    if time.tzinfo is None:
        raise LabelError(f"{where}: {cell!r} names no time zone; write 2026-05-31T14:00:00+02:00")
    if time > datetime.now(UTC) + _CLOCKS_DIFFER:
        raise LabelError(
            f"{where}: {cell!r} lies in the future, and would outlast every later label"
        )
    return time.astimezone(UTC)


def read_folder(engine: Engine, folder: Path, *, by: str) -> tuple[list[NewLabel], list[Path]]:
    """Labels from class sub-folders, matched to inspected pictures by their bytes (SHA-256).

    Returns:
        The labels, and the files whose picture was never inspected.
    """
    files = [
        path
        for folder_of_class in sorted(folder.iterdir())
        if folder_of_class.is_dir()
        for path in sorted(folder_of_class.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]
    if not files:
        raise LabelError(f"{folder} has no files in class sub-folders")
    digests = {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    ids = newest_by(engine, "image_sha256", list(digests.values()))
    labels = [
        NewLabel(
            inspection_id=ids[digest],
            label=path.relative_to(folder).parts[0],
            labelled_by=by,
            source="folder",
        )
        for path, digest in digests.items()
        if digest in ids
    ]
    return labels, [path for path, digest in digests.items() if digest not in ids]


def _look_up(engine: Engine, key: str, values: Sequence[str]) -> dict[str, UUID]:
    known = _KEYS[key]
    if known is not None:
        return newest_by(engine, known, values)
    found = {}
    for value in values:
        try:
            found[value] = UUID(value)
        except ValueError:
            continue
    return found

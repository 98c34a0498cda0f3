"""Which inspected pictures a file of labels is about."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine

from db.labels.lookup import Known, newest_by, parts_beside, pictures_of_parts
from linewatch.errors import LabelError
from linewatch.labels.file import LabelTable, Row, parse
from linewatch.labels.text import ANSI
from linewatch.nearest import did_you_mean

_COLUMNS: dict[str, Known] = {"uri": "image_uri", "sha256": "image_sha256"}
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_MOST_BYTES = 128 << 20  # a million rows and more
_ROUNDED = re.compile(r"\d[.,]\d+E\+\d+", re.IGNORECASE)  # a spreadsheet's view of a long number


@dataclass(frozen=True, slots=True)
class Named:
    """A picture that a file names, the class that it gives it ("" for none), and where."""

    id: UUID
    label: str
    where: str


def pictures(
    engine: Engine, path: Path, product: str, *, labelled: bool = True
) -> tuple[list[Named], list[Path]]:
    """The pictures of a product that a table or a folder names, and the files never inspected.

    A part names its picture only where it has one.

    Raises:
        LabelError: with the line, when the file cannot be read or a picture is not known.
    """
    if path.is_dir():
        return in_folder(engine, path, product)
    table = read_table(path, labelled=labelled)
    if table.key == "part":
        ids = _only_pictures(engine, table, path, product)
    else:
        ids = ids_of(engine, table, product)
    named = []
    for row in table.rows:
        where = f"{path}, line {row.line}"
        named.append(
            Named(known(engine, table, row, where, ids, product), row.cells.get("label", ""), where)
        )
    return named, []


def _only_pictures(engine: Engine, table: LabelTable, path: Path, product: str) -> dict[str, UUID]:
    found = pictures_of_parts(engine, [key_of(table, row) for row in table.rows])
    ids = {part: of[product] for part, of in found.items() if product in of}
    for row in table.rows:
        part = key_of(table, row)
        if len(ids.get(part, ())) > 1:
            raise LabelError(
                f"{path}, line {row.line}: part {part!r} has {len(ids[part])} pictures; name the "
                "picture by its id, uri or sha256"
            )
    return {part: one for part, (one,) in ids.items()}


def read_table(path: Path, *, labelled: bool = True) -> LabelTable:
    """The table in a file; see `linewatch.labels.file.parse`."""
    return parse(file_bytes(path), str(path), labelled=labelled)


def ids_of(engine: Engine, table: LabelTable, product: str | None) -> dict[str, UUID]:
    """The picture behind each row's key, where it is an id, a place or a digest."""
    values = [key_of(table, row) for row in table.rows]
    if table.key in _COLUMNS:
        folded = [value.lower() for value in values] if table.key == "sha256" else values
        found = newest_by(engine, _COLUMNS[table.key], folded, product)
        return {v: found[f] for v, f in zip(values, folded, strict=True) if f in found}
    ids = {}
    for value in values if table.key == "id" else ():
        try:
            ids[value] = UUID(value)
        except ValueError:
            continue
    return ids


def known(
    engine: Engine,
    table: LabelTable,
    row: Row,
    where: str,
    ids: Mapping[str, UUID],
    product: str | None,
) -> UUID:
    """The picture that a row names.

    Raises:
        LabelError: there is none.
    """
    id_ = ids.get(key_of(table, row))
    if id_ is None:
        raise not_known(engine, table, row, where, product)
    return id_


def not_known(
    engine: Engine, table: LabelTable, row: Row, where: str, product: str | None
) -> LabelError:
    """What to say of a picture or part that is not on record."""
    value = key_of(table, row)
    if table.key == "id":
        return LabelError(f"{where}: {value!r} is no picture's id; see `linewatch labels list`")
    hint = ""
    if _ROUNDED.fullmatch(value):
        hint = "; a spreadsheet has rounded it, so make that column text and fill it in again"
    elif table.key == "part":
        hint = did_you_mean(value, parts_beside(engine, value))
    if not hint and table.encoding == ANSI and not value.isascii():
        hint = f'; the file was read as {ANSI}, so save it as "CSV UTF-8" if that is wrong'
    owner = f" of {product}" if product else ""
    return LabelError(f"{where}: no inspected picture{owner} has {table.key} {value!r}{hint}")


def key_of(table: LabelTable, row: Row) -> str:
    """What says which picture or part a row is about."""
    return plain(row.cells[table.key])


def plain(cell: str | None) -> str:
    """A cell without the apostrophe that an export puts before what looks like a formula."""
    text = cell or ""
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA_STARTS else text


def in_folder(engine: Engine, folder: Path, product: str | None) -> tuple[list[Named], list[Path]]:
    """The pictures in class sub-folders, matched by their bytes (SHA-256), and those never seen.

    Raises:
        LabelError: it cannot be read, or has no files in sub-folders.
    """
    try:
        files = _files(folder)
    except OSError as error:
        raise LabelError(f"{error.filename} cannot be read: {error.strerror}") from None
    if not files:
        raise LabelError(f"{folder} has no files in class sub-folders")
    digests = {path: hashlib.sha256(file_bytes(path)).hexdigest() for path in files}
    ids = newest_by(engine, "image_sha256", list(digests.values()), product)
    named = [
        Named(ids[digest], path.relative_to(folder).parts[0], str(path))
        for path, digest in digests.items()
        if digest in ids
    ]
    return named, [path for path, digest in digests.items() if digest not in ids]


def _files(folder: Path) -> Sequence[Path]:
    return [
        path
        for folder_of_class in sorted(folder.iterdir())
        if folder_of_class.is_dir()
        for path in sorted(folder_of_class.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    ]


def file_bytes(path: Path) -> bytes:
    """What is in a file of people's, which may be a device that never ends.

    Raises:
        LabelError: it cannot be read, or is too long.
    """
    try:
        with path.open("rb") as file:
            found = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise LabelError(f"{path} cannot be read: {error.strerror}") from None
    if len(found) > _MOST_BYTES:
        raise LabelError(f"{path} has more than {_MOST_BYTES >> 20} MB, too much to read")
    return found

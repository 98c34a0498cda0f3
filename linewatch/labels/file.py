"""Tables of labels as spreadsheet programs write them. Pure: bytes in, rows out.

Which separator, encoding and line end a program writes depends on its language and its maker, and
nobody chooses it on purpose. What can be told is read; for the rest there is one sentence.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from linewatch.errors import LabelError
from linewatch.labels.text import decoded

# Our name of a column: what else it is called, in lower case with _ for spaces and hyphens.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("inspection_id", "picture", "picture_id"),
    "part": ("serial", "serial_number", "serial_no", "sn", "part_id"),
    "uri": ("image_uri",),
    "sha256": ("image_sha256",),
    "label": ("class", "defect_class"),
    "product": (),
    "pass": ("pass_number",),
    "labelled_by": ("labeled_by", "by"),
    "labelled_at": ("labeled_at", "at"),
    "source": (),
    "note": ("notes", "comment"),
}
KEYS = ("id", "part", "uri", "sha256")  # what says which picture or part; the first one counts
_OURS = {name: ours for ours, others in _NAMES.items() for name in (ours, *others)}
_SEPARATORS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'"?sep=([,;|:\t])"?[,;\t]*(?:\r\n|\r|\n|$)', re.IGNORECASE)
_UNSEEN = "\ufeff\u200b\u2060\x1a"  # marks that nobody sees, and the end of a DOS file
_KEPT_AS_TEXT = re.compile(r'="(.*)"', re.DOTALL)  # how people keep leading zeros in Excel


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: its number in the file, and its cells by our names, stripped."""

    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LabelTable:
    """What a file says.

    Attributes:
        key: the column that says which picture or part: one of `KEYS`.
        columns: the columns that are understood, by our names.
        rows: the lines that are not empty.
        encoding: what the bytes were read as.
    """

    key: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str


def parse(data: bytes, source: str, *, labelled: bool = True) -> LabelTable:
    """Read a table: commas, semicolons, tabs or bars; UTF-8, UTF-16 or Windows-1252.

    Args:
        data: the file's bytes.
        source: the file's name, for errors.
        labelled: whether a `label` column is needed.

    Raises:
        LabelError: with the line and what to do, where it is no such table.
    """
    text, encoding = decoded(data, source)
    first, lines = _begin(text)
    separator = _separator(lines, first)
    records = _records(lines, separator, source, first)
    line, header = next(records, (0, []))
    columns = _columns(header, source, line, labelled)
    key = next(name for name in KEYS if name in columns)
    needed = (key, "label") if labelled else (key,)
    rows = tuple(
        _row(number, cells, len(header), columns, needed, source) for number, cells in records
    )
    return LabelTable(key, tuple(columns), rows, encoding)


def _begin(text: str) -> tuple[str | None, str]:
    """The separator that the first line declares, as Excel's `sep=;` does; and the text, the
    declaration made an empty line so that lines keep their numbers."""
    found = _SEP_LINE.match(text)
    if found is None:
        return None, text
    return found[1], "\n" + text[found.end() :]


def _separator(text: str, declared: str | None) -> str:
    """The declared one, or the one under which the header has most names that are known."""
    if declared is not None:
        return declared
    header = next((line for line in io.StringIO(text, newline="") if line.strip(" \t,;|\r\n")), "")

    def names(separator: str) -> tuple[int, int]:
        cells = next(csv.reader([header], delimiter=separator, skipinitialspace=True), [])
        return sum(_named(cell) in _OURS for cell in cells), len(cells)

    return max(_SEPARATORS, key=names)


def _records(
    text: str, separator: str, source: str, declared: str | None
) -> Iterator[tuple[int, list[str]]]:
    """Each record that has anything in it, with the number of the line on which it begins."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    begin = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise LabelError(
                f"{source}, line {begin}: {error}; a cell that holds the separator, a quote or a "
                "line end must stand in quotes, with quotes in it doubled"
            ) from None
        line, begin = begin, reader.line_num + 1
        cells = [_clean(cell) for cell in cells]
        if any(cells):
            yield line, cells


def _clean(cell: str) -> str:
    text = cell.strip().strip(_UNSEEN).strip()
    kept = _KEPT_AS_TEXT.fullmatch(text)
    return kept[1].replace('""', '"') if kept else text


def _named(cell: str) -> str:
    return re.sub(r"[\s_-]+", "_", _clean(cell).casefold())


def _columns(header: list[str], source: str, line: int, labelled: bool) -> dict[str, int]:
    """Where each column that we know stands."""
    columns: dict[str, int] = {}
    for place, cell in enumerate(header):
        ours = _OURS.get(_named(cell))
        if ours is None:
            continue
        if ours in columns:
            raise LabelError(
                f"{source}, line {line}: two columns mean {ours!r}, "
                f"{header[columns[ours]]!r} and {cell!r}; keep one of them"
            )
        columns[ours] = place
    if not any(name in columns for name in KEYS) or (labelled and "label" not in columns):
        needs = "a 'label' column and one of" if labelled else "one of the columns"
        found = ", ".join(repr(cell) for cell in header[:12] if cell) or "nothing"
        raise LabelError(
            f"{source}: its first line must name the columns; needs {needs} {', '.join(KEYS)}; "
            f"found {found}"
        )
    return columns


def _row(
    line: int,
    cells: list[str],
    width: int,
    columns: Mapping[str, int],
    needed: tuple[str, ...],
    source: str,
) -> Row:
    if any(cells[width:]):
        raise LabelError(
            f"{source}, line {line}: has {len(cells)} cells and the first line names {width} "
            "columns; a cell that holds the separator must stand in quotes"
        )
    found = {name: cells[at] if at < len(cells) else "" for name, at in columns.items()}
    for name in needed:
        if not found[name]:
            raise LabelError(f"{source}, line {line}: the {name} is missing; fill it in")
    return Row(line, found)

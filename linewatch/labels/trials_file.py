"""Tables of an agreement study's trials: who said what of which part, in which trial."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from linewatch.errors import LabelError
from linewatch.labels.pictures import file_bytes
from linewatch.labels.text import decoded, whole_number
from linewatch.nearest import did_you_mean, some_of
from quality.agreement.agreement import Rating

_MOST_TRIALS = 1000
_NEEDED = ("appraiser", "part", "trial", "said")


@dataclass(frozen=True, slots=True)
class Trials:
    """What a table says; `reference` has only the parts of which it says what they are."""

    ratings: tuple[Rating, ...]
    reference: Mapping[str, str]


def read_trials(path: Path, words: Mapping[str, str]) -> Trials:
    """Read a CSV file with the columns appraiser, part, trial, said and, if it has it, reference.

    Args:
        path: the file.
        words: what may be said, and what that means in a study.

    Raises:
        LabelError: with the line, where it is no such table or says what means nothing.
    """
    text, _ = decoded(file_bytes(path), str(path))
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        return _trials(rows, words, path)
    except csv.Error as error:
        raise LabelError(f"{path}, line {rows.reader.line_num}: {error}") from None


def _trials(rows: csv.DictReader[str], words: Mapping[str, str], path: Path) -> Trials:
    columns = [(name or "").strip().lower() for name in rows.fieldnames or ()]
    if missing := [name for name in _NEEDED if name not in columns]:
        raise LabelError(
            f"{path}: its first line must name the columns appraiser, part, trial, said and, if "
            f"need be, reference, separated by commas; {', '.join(missing)} is missing"
        )
    rows.fieldnames = columns
    ratings: list[Rating] = []
    reference: dict[str, str] = {}
    for row in rows:
        where = f"{path}, line {rows.line_num}"
        cells = {name: (row.get(name) or "").strip() for name in (*_NEEDED, "reference")}
        ratings.append(_rating(cells, words, where))
        if is_a := cells["reference"]:
            word = _word(is_a, words, where)
            if reference.setdefault(cells["part"], word) != word:
                raise LabelError(f"{where}: part {cells['part']!r} was another class above")
    return Trials(tuple(ratings), reference)


def _rating(cells: Mapping[str, str], words: Mapping[str, str], where: str) -> Rating:
    if empty := next((name for name in _NEEDED if not cells[name]), None):
        raise LabelError(f"{where}: the {empty} is missing; fill it in")
    trial = whole_number(cells["trial"], _MOST_TRIALS)
    if trial is None:
        raise LabelError(f"{where}: trial {cells['trial']!r} is no number from 1 to {_MOST_TRIALS}")
    said = _word(cells["said"], words, where)
    return Rating(cells["appraiser"], cells["part"], trial, said)


def _word(said: str, words: Mapping[str, str], where: str) -> str:
    if said not in words:
        known = list(words)
        raise LabelError(
            f"{where}: there is no class {said!r}; it has {some_of(known)}"
            f"{did_you_mean(said, known)}"
        )
    return words[said]

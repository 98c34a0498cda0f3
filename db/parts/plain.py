"""Parts that are plain, settled by a short way; on SQLite.

Of nearly all parts the pictures are of one pass and agree on everything but what they show, at most
one class of defect, and nobody said anything of them. Then a row of sums is all that there is to
know. `linewatch_plain_parts` does the same inside PostgreSQL. Rows go from statement to statement
as SQLite stores them: to make Python's dates of them and back would cost more than all the rest.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection

from db.audit_sample.drawing import draw_parts
from db.audit_sample.shares import wanted as wanted_shares
from db.base import table_of
from db.parts.counts import KINDS, Key, add_counts
from db.parts.facts import Rules, options_of, rules_from
from db.parts.slices import Slices
from db.tables import Part
from quality.parts.disposition import Outcome, View, by_views

Stored = tuple[Any, ...]  # a row of `parts`, in the columns' order, as SQLite has it
_Slice = tuple[str, str, str, str, str]

_NAMES = [column.name for column in table_of(Part).columns]
_KEY = ("product", "serial", "scope", "pass_number")
_WANTED = """WITH wanted (product, serial) AS MATERIALIZED (
  SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)
)"""
_STORED = f"""{_WANTED}
SELECT {", ".join(f"p.{name}" for name in _NAMES)} FROM wanted AS w
CROSS JOIN parts AS p ON p.product = w.product AND p.serial = w.serial"""  # noqa: S608 - nothing but our own words
# `shows` is the worst that a picture says, see `_SHOWN`.
_SUMS = f"""{_WANTED}
SELECT w.product, w.serial, count(*), coalesce(min(i.line), ''), coalesce(min(i.lot), ''),
  coalesce(min(i.work_order), ''), coalesce(min(nullif(i.model_version, '')), ''),
  min(i.made_at), max(i.made_at), min(i.by_receipt),
  max(CASE i.verdict WHEN 'defect' THEN 3 WHEN 'review' THEN 2 WHEN 'pass' THEN 0 ELSE 1 END),
  min(CASE i.verdict WHEN 'defect' THEN coalesce(i.defect_class, '') END),
  min(i.views), json_group_array(coalesce(i.camera, ''))
FROM wanted AS w
CROSS JOIN inspections AS i ON i.part = w.serial AND coalesce(i.product, '') = w.product
WHERE NOT EXISTS (SELECT 1 FROM decisions AS d WHERE d.product = w.product AND d.part = w.serial)
  AND NOT EXISTS (SELECT 1 FROM purged_views AS v
    WHERE v.product = w.product AND v.part = w.serial)
GROUP BY w.product, w.serial
HAVING count(i.made_at) = count(*) AND count(i.pass_number) = 0
  AND NOT max(coalesce(i.purpose, '') = 'challenge')
  AND NOT max(EXISTS (SELECT 1 FROM labels AS l WHERE l.inspection_id = i.id))
  AND min(coalesce(i.line, '')) = max(coalesce(i.line, ''))
  AND min(coalesce(i.lot, '')) = max(coalesce(i.lot, ''))
  AND min(coalesce(i.work_order, '')) = max(coalesce(i.work_order, ''))
  AND min(i.by_receipt) = max(i.by_receipt)
  AND count(DISTINCT nullif(i.model_version, '')) <= 1
  AND count(DISTINCT CASE i.verdict WHEN 'defect' THEN coalesce(i.defect_class, '') END) <= 1
  AND min(coalesce(i.views, '')) = max(coalesce(i.views, ''))"""  # noqa: S608 - as above
_WRITE = f"""INSERT INTO parts ({", ".join(_NAMES)}) VALUES ({", ".join("?" * len(_NAMES))})
ON CONFLICT ({", ".join(_KEY)}) DO UPDATE SET
  {", ".join(f"{name} = excluded.{name}" for name in _NAMES if name not in _KEY)}"""  # noqa: S608 - as above
_kinds_of = itemgetter(*(_NAMES.index(name) for name in KINDS))
_rest_of = itemgetter(
    *(_NAMES.index(name) for name in ("slice_at", "shift_at", "by_receipt", "shift_ends_at"))
)
_shift_of = itemgetter(_NAMES.index("shift"), _NAMES.index("plant_day"))
_INSTANTS = [_NAMES.index(n) for n in ("made_at", "last_at", "slice_at", "shift_at")]
_INSTANTS.append(_NAMES.index("shift_ends_at"))
_BOOLEANS = [_NAMES.index(n) for n in ("counted", "by_receipt")]


def settle_plain(
    connection: Connection, serials: Sequence[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Bring the parts of those serial numbers that are plain, and their counts, to the facts.

    Args:
        serials: pairs of product and serial number, each once; a few hundred.

    Returns:
        Those that are settled.
    """
    told = (json.dumps(serials),)
    before = _before(connection, told)
    rules = _rules(connection, {product for product, _ in serials})
    mine = {one for one in serials if one[1] and rules[one[0]].within == "product"}
    slices = _StoredSlices(connection)
    rows: dict[tuple[str, str], Stored] = {}
    for sums in connection.exec_driver_sql(_SUMS, told).all():
        product, serial = key = (sums[0], sums[1])
        if key in mine and _in_one_pass(sums, rules[product]) and before.get(key, ()) is not None:
            rows[product, serial] = _row(sums, rules[product], slices)
    changed = [row for key, row in rows.items() if before.get(key) != row]
    if changed:
        connection.exec_driver_sql(_WRITE, changed)
        counted = Counter(map(_counted, changed))
        replaced = (before.get((row[0], row[1])) for row in changed)
        counted.subtract(_counted(row) for row in replaced if row is not None)
        add_counts(connection, {_key(one): parts for one, parts in counted.items() if parts})
    if rows and wanted_shares(connection, {product for product, _ in rows}):
        draw_parts(connection, [_as_read(row) for row in rows.values()])
    return set(rows)


def _before(connection: Connection, told: tuple[str]) -> dict[tuple[str, str], Stored | None]:
    """The only row that each serial number has; None where there are others than pass 1."""
    found: dict[tuple[str, str], Stored | None] = {}
    for row in connection.exec_driver_sql(_STORED, told).all():
        _, _, scope, pass_number, counted, *_ = row
        alone = scope == "" and pass_number == 1 and counted and (row[0], row[1]) not in found
        found[row[0], row[1]] = tuple(row) if alone else None
    return found


def _rules(connection: Connection, products: Collection[str]) -> dict[str, Rules]:
    """The rules of each product, but for its good class: that is for labels."""
    said = options_of(connection, products)
    return {product: rules_from(said.get(product), frozenset()) for product in products}


def _in_one_pass(sums: Any, rules: Rules) -> bool:
    began, ended = sums[7], sums[8]
    return began == ended or (_instant(ended) - _instant(began)).total_seconds() <= rules.gap_s


def _row(sums: Any, rules: Rules, slices: _StoredSlices) -> Stored:
    product, serial, views, line, lot, work_order, version, made_at, last_at, by_receipt = sums[:10]
    shows, defect, named, cameras = sums[10:]
    expected = (named and json.loads(named)) or rules.views
    missing = bool(expected) and not set(expected) <= set(json.loads(cameras))
    disposition, decided_by, why = _WORDS[shows, missing]
    return (
        *(product, serial, "", 1, 1, views, line, lot, work_order, version),
        *(disposition, defect or "", decided_by, why, disposition, defect or ""),
        *(made_at, last_at, by_receipt, *slices.of(line, made_at)),
    )


def _word(shows: int, missing: bool) -> tuple[str, str, str]:
    """Disposition, who decided, and why it is open, of a part whose worst picture shows this."""
    outcome: Outcome = by_views([_SHOWN[shows]], expected=["missing"] if missing else ())
    return str(outcome.disposition), str(outcome.by), str(outcome.why or "")


_SHOWN = (View(), View(decided=False, rejected=True), View(decided=False), View(defect=""))
_WORDS = {(n, missing): _word(n, missing) for n in range(len(_SHOWN)) for missing in (False, True)}


class _StoredSlices:
    """Slices as they are stored; calendars are in minutes, so those of one minute are one."""

    def __init__(self, connection: Connection) -> None:
        self._slices = Slices(connection)
        self._found: dict[tuple[str, str], _Slice] = {}

    def of(self, line: str, made_at: str) -> _Slice:
        """The slice of an instant: its columns of `parts`."""
        key = (line, made_at[:16])
        if key not in self._found:
            found = self._slices.of(line, _instant(made_at))
            at, shift_at, ends_at = (_stored(when) for when in found[:3])
            self._found[key] = (at, shift_at, ends_at, found.shift, found.plant_day.isoformat())
        return self._found[key]


def _counted(row: Stored) -> Stored:
    """What of a stored row it is counted by."""
    return (*_rest_of(row), *_shift_of(row), *_kinds_of(row))


def _key(counted: Stored) -> Key:
    """A key of `db.parts.counts`; a plain part is in its first pass and has a serial number."""
    slice_at, shift_at, by_receipt, ends_at, shift, plant_day, *kinds = counted
    flags = (False, True, bool(by_receipt))
    of_shift = (_instant(ends_at), shift, date.fromisoformat(plant_day))
    return (_instant(slice_at), _instant(shift_at), *kinds, *flags, *of_shift)


def _as_read(row: Stored) -> Mapping[str, Any]:
    values = list(row)
    for place in _INSTANTS:
        values[place] = _instant(values[place])
    for place in _BOOLEANS:
        values[place] = bool(values[place])
    return dict(zip(_NAMES, values, strict=True))


def _instant(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)


def _stored(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S.%f")

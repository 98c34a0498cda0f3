"""What people said against what the model said, by class: agreement, escapes, overkill."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from sqlalchemy import Connection, Engine, and_, case, func, select

from db.base import table_of
from db.reports.part_reports import counted
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.names import refuse_unknown
from db.reports.part_reports.part_query import PartQuery
from db.reports.report import Report, Row
from db.session import reading
from db.tables import DefectClass, LabelledPicture
from producer.contract import Verdict
from quality.agreement.appraisal import Appraisal

_LABELLED, _CLASSES = table_of(LabelledPicture), table_of(DefectClass)
GROUPS = ("product", "line", "model_version", "class")
_NO_SAMPLE = (
    "Labels and decisions are no random sample: people are shown mostly what the model was unsure "
    "of, so these shares are not the line's escapes and overkill."
)
_PARTS = (
    "Of parts the disposition is compared, of pictures the class too; parts are those that a "
    "person decided."
)
_Key = tuple[Any, ...]
_Tallies = defaultdict[_Key, Counter[str]]


def label_verdict(
    engine: Engine, filters: PartFilters, by: Sequence[str], timezone: tzinfo
) -> Report:
    """People's words and the model's disposition of the same pictures, and of the same parts.

    A row: `of` (picture or part), the groups, `good` and the figures of
    `quality.agreement.appraisal.Appraisal`. Pictures go by their latest label; where several people
    labelled one, by the last of them. Labels of a class that the product no longer has are left
    out, and a note names it.

    Args:
        engine: the database.
        filters: by product, line and lot; the range is of the time at which a part was made.
        by: of `GROUPS`, in any order; `good` is always told apart, or escapes and overkill mix.
        timezone: the plant's.

    Raises:
        ReportError: a group, a name or a range that there cannot be.
    """
    with reading(engine) as connection:
        query = PartQuery.of(connection, filters, by, timezone, GROUPS)
        good = _good_classes(connection)
        pictures, gone = _pictures(connection, query, good)
        parts = _parts(connection, query, good)
        if not pictures and not parts:
            refuse_unknown(connection, filters)
    rows = [
        _row(of, query.by, key, counts)
        for of, found in (("picture", pictures), ("part", parts))
        for key, counts in sorted(found.items())
    ]
    notes = [_NO_SAMPLE, _PARTS] if rows else []
    notes += [f"left out: {count} labels of {name}" for name, count in sorted(gone.items())]
    report = query.report(
        "label-verdict",
        "People's words against the model's",
        rows,
        *notes,
        empty="nobody labelled a picture or decided a part that was made in this time",
    )
    nothing: _Key = (*("" for _ in query.by), False)
    return replace(report, blank=_row("", query.by, nothing, Counter()))


def _row(of: str, by: Sequence[str], key: _Key, counts: Counter[str]) -> Row:
    *values, good = key
    group = dict(zip(by, values, strict=True))
    return {"of": of, **group, "good": good, **Appraisal(good=good, **counts).cells()}


def _good_classes(connection: Connection) -> dict[tuple[str, str], bool]:
    """Whether each product's class is the good one."""
    query = select(_CLASSES.c.product, _CLASSES.c.code, _CLASSES.c.good)
    return {(row.product, row.code): row.good for row in connection.execute(query)}


def _pictures(
    connection: Connection, query: PartQuery, good: dict[tuple[str, str], bool]
) -> tuple[_Tallies, Counter[str]]:
    """By group, and how many labels of which class are left out."""
    c = _LABELLED.c
    same = case((c.defect_class == c.label, 1), else_=0).label("same")
    dims = (c.product, c.label, c.line, c.model_version, c.verdict, same)
    statement = select(*dims, func.count().label("pictures"))
    statement = statement.where(*_narrowed(query)).group_by(*dims)
    found: _Tallies = defaultdict(Counter)
    gone: Counter[str] = Counter()
    for row in connection.execute(statement):
        is_good = good.get((row.product, row.label))
        if is_good is None:
            gone[f"{row.product}'s former class {row.label}"] += row.pictures
            continue
        of = {"product": row.product, "line": row.line, "class": row.label}
        of["model_version"] = row.model_version
        word = _of_picture(is_good, row.verdict, bool(row.same))
        found[_key(query, of, is_good)][word] += row.pictures
    return found, gone


def _narrowed(query: PartQuery) -> Iterable[Any]:
    period, c = query.period, _LABELLED.c
    if period.since is not None:
        yield c.made_at >= period.since
    if period.until is not None:
        yield c.made_at < period.until
    for name, value in query.filters.names().items():
        if name in ("product", "line", "lot"):
            yield c[name] == value


def _of_picture(good: bool, verdict: str, same: bool) -> str:
    """Which field of `Appraisal` a labelled picture counts in."""
    if verdict == Verdict.PASS:
        return "agreed" if good else "escapes"
    if verdict == Verdict.DEFECT:
        return "overkill" if good else "agreed" if same else "other_class"
    return "open" if verdict == Verdict.REVIEW else "unjudged"


def _parts(connection: Connection, query: PartQuery, good: dict[tuple[str, str], bool]) -> _Tallies:
    """First passes that a person decided, from their counts: those outlive the pictures."""
    names = ("product", "line", "model_version", "classes", "disposition", "model_disposition")
    words = {product: code for (product, code), is_good in good.items() if is_good}
    found: _Tallies = defaultdict(Counter)
    every = counted.numbers(connection, query.filters, query.period, names, _decided)
    for values, parts in every.items():
        of = dict(zip(names, values, strict=True))
        is_good = of["disposition"] == "conforming"
        of["class"] = words.get(of["product"], "conforming") if is_good else of["classes"]
        word = _of_part(of["disposition"], of["model_disposition"])
        found[_key(query, of, is_good)][word] += parts
    return found


def _decided(columns: Any) -> Any:
    return and_(columns.decided_by == "person", columns.again.is_(False))


def _of_part(said: str, model: str) -> str:
    """Which field of `Appraisal` a part counts in."""
    if model == "open":
        return "open"
    if said == model:
        return "agreed"
    return "overkill" if said == "conforming" else "escapes"


def _key(query: PartQuery, of: dict[str, Any], good: bool) -> _Key:
    return (*(of[name] for name in query.by), good)

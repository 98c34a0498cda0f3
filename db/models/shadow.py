"""Champion and shadow side by side, on the pictures that both judged."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, func, select

from db.base import table_of
from db.labels import labels
from db.session import reading
from db.tables import Inspection, InspectionScore

_I = table_of(Inspection).c
_S = table_of(InspectionScore).c


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often the champion said one thing and the shadow another."""

    champion: str
    shadow: str
    champion_verdict: str
    shadow_verdict: str
    pictures: int

    def cells(self) -> dict[str, str | int]:
        """The columns of a report."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ShadowPair:
    """A labelled picture that both judged: each one's verdict and the shadow's probabilities."""

    id: UUID
    label: str
    champion_choice: str | None
    champion_verdict: str
    shadow_verdict: str
    shadow_probabilities: dict[str, float | None]


def agreement(
    engine: Engine,
    product: str,
    version: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[Agreement]:
    """Counts by champion, and by the verdicts of both; `version` is the shadow."""
    where = _of(product, version, since, until)
    query = (
        select(_I.model_version, _S.model_version, _I.verdict, _S.verdict, func.count())
        .join(table_of(InspectionScore), _S.inspection_id == _I.id)
        .where(*where)
        .group_by(_I.model_version, _S.model_version, _I.verdict, _S.verdict)
        .order_by(_I.model_version, _I.verdict, _S.verdict)
    )
    with reading(engine) as connection:
        return [Agreement(*row) for row in connection.execute(query)]


def labelled_pairs(
    engine: Engine,
    product: str,
    version: str,
    champion: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[ShadowPair]:
    """The labelled pictures that `champion` judged while `version` was its shadow, by id."""
    known = labels.latest(engine, product)
    query = (
        select(_I.id, _I.defect_class, _I.verdict, _S.verdict, _S.probabilities)
        .join(table_of(InspectionScore), _S.inspection_id == _I.id)
        .where(*_of(product, version, since, until), _I.model_version == champion)
        .order_by(_I.id)
    )
    with reading(engine) as connection:
        return [
            ShadowPair(id_, known[id_], choice, verdict, shadow, probabilities)
            for id_, choice, verdict, shadow, probabilities in connection.execute(query)
            if id_ in known
        ]


def _of(
    product: str, version: str, since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [
        _I.product == product,
        _S.model_version == version,
        _S.verdict.is_not(None),
    ]
    where += [_I.decided_at >= since] if since is not None else []
    where += [_I.decided_at < until] if until is not None else []
    return where

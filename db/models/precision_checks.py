"""Precision agreements: which model may serve on which other precision's features."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine, select

from db import audit
from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.tables import Feature, Inspection, PrecisionAgreement
from db.upsert import insert_into
from producer.contract import Verdict

_TABLE = table_of(PrecisionAgreement)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """A model on another precision's features, see `model_store.serving.precision_parity`."""

    model_version: str
    fingerprint: str
    backend: str
    pictures: int
    same_class: float
    review_shift: float
    least_cosine: float
    holds: bool
    by: str


@dataclass(frozen=True, slots=True)
class StoredVector:
    """A picture whose features are stored."""

    inspection_id: UUID
    image_uri: str | None
    image_sha256: str | None
    camera: str | None
    vector: bytes


def record(connection: Connection, row: AgreementRow) -> None:
    """Keep the newest measurement of a model and fingerprint, and note it in the audit log."""
    values = {**asdict(row), "measured_at": database_now(connection)}
    keys = ("model_version", "fingerprint")
    changes = {name: value for name, value in values.items() if name not in keys}
    statement = insert_into(connection, _TABLE).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changes))
    detail = {name: changes[name] for name in ("backend", "pictures", "same_class", "holds")}
    audit.append(connection, row.by, "model.precision", row.model_version, detail)


def holds(engine: Engine, model_version: str, fingerprint: str) -> bool:
    """Whether the model was measured on those features, and agreed."""
    c = _TABLE.c
    query = select(c.holds).where(c.model_version == model_version, c.fingerprint == fingerprint)
    with reading(engine) as connection:
        return bool(connection.execute(query).scalar_one_or_none())


def of_model(engine: Engine, model_version: str) -> list[AgreementRow]:
    """Every measurement of a model, newest first."""
    names = list(AgreementRow.__dataclass_fields__)
    query = select(*(_TABLE.c[name] for name in names)).where(
        _TABLE.c.model_version == model_version
    )
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(_TABLE.c.measured_at.desc())).mappings()
        return [AgreementRow(**row) for row in rows]


def newest_vectors(
    engine: Engine, product: str, fingerprint: str, limit: int
) -> list[StoredVector]:
    """A product's newest pictures whose features under `fingerprint` are stored, newest first."""
    query = (
        select(
            Inspection.id,
            Inspection.image_uri,
            Inspection.image_sha256,
            Inspection.camera,
            Feature.vector,
        )
        .join(Feature, Feature.inspection_id == Inspection.id)
        .where(Inspection.product == product, Feature.fingerprint == fingerprint)
        .order_by(Inspection.id.desc())
        .limit(limit)
    )
    with reading(engine) as connection:
        return [StoredVector(*row) for row in connection.execute(query)]


def newest_uris(engine: Engine, limit: int, product: str | None = None) -> list[str]:
    """Where the newest judged pictures of a product, or of all, lie."""
    query = (
        select(Inspection.image_uri)
        .where(Inspection.image_uri.is_not(None))
        .where(Inspection.verdict.in_([Verdict.PASS, Verdict.DEFECT, Verdict.REVIEW]))
        .limit(limit)
    )
    if product is None:
        query = query.order_by(Inspection.id.desc())
    else:  # by the index that begins with the product
        query = query.where(Inspection.product == product).order_by(Inspection.decided_at.desc())
    with reading(engine) as connection:
        return [str(uri) for uri in connection.execute(query).scalars()]

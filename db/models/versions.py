"""Model versions: a row for each model in the store."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select

from db import audit
from db.base import table_of
from db.session import reading
from db.tables import ModelVersion
from db.upsert import insert_into
from linewatch.errors import ModelError
from linewatch.nearest import did_you_mean

_TABLE = table_of(ModelVersion)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionInfo:
    """A model version: where it comes from and what it needs."""

    version: str
    product: str
    number: int
    fingerprint: str
    encoders: str
    manifest_sha256: str
    created_at: datetime
    parent: str | None = None
    training_run_id: int | None = None
    kind: str = "fitted"  # or "zero-shot" (prompts), "few-shot" (both), "good-only"; see manifests
    promise: str | None = None  # in words; see model_store.promise.words
    provisional: bool = False  # parts pass although the labels prove no promise


def next_number(engine: Engine, product: str) -> int:
    """The number that a product's next version gets; 1 for its first."""
    query = select(func.coalesce(func.max(_TABLE.c.number), 0)).where(_TABLE.c.product == product)
    with reading(engine) as connection:
        return int(connection.execute(query).scalar_one()) + 1


def add_version(connection: Connection, version: VersionInfo, *, by: str = "linewatch") -> None:
    """Note a version that is in the store. The same one again, as after an import, is no error.

    Raises:
        ModelError: its name or number belongs to another model already.
    """
    statement = insert_into(connection, _TABLE).on_conflict_do_nothing().values(asdict(version))
    if connection.execute(statement.returning(_TABLE.c.version)).scalar() is not None:
        detail = {"manifest_sha256": version.manifest_sha256}
        audit.append(connection, by, "model.add", version.version, detail)
        return
    query = select(_TABLE.c.manifest_sha256).where(_TABLE.c.version == version.version)
    if connection.execute(query).scalar() != version.manifest_sha256:
        raise ModelError(
            f"model {version.version} (number {version.number} of {version.product}) is not "
            "recorded: its name or number is taken by another model; save it under the next number"
        )


def get(engine: Engine, version: str) -> VersionInfo | None:
    """One version, or None."""
    with reading(engine) as connection:
        query = select(_TABLE).where(_TABLE.c.version == version)
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else VersionInfo(**row)


def require(engine: Engine, version: str) -> VersionInfo:
    """One version.

    Raises:
        ModelError: there is no such version; names the nearest.
    """
    info = get(engine, version)
    if info is None:
        names = [known.version for known in versions(engine)]
        hint = did_you_mean(version, names) or "; see `linewatch models list`"
        raise ModelError(f"no version is called {version!r}{hint}")
    return info


def versions(engine: Engine, product: str | None = None) -> list[VersionInfo]:
    """Every version, of one product or all, newest first."""
    query = select(_TABLE).order_by(_TABLE.c.product, _TABLE.c.number.desc())
    if product is not None:
        query = query.where(_TABLE.c.product == product)
    with reading(engine) as connection:
        return [VersionInfo(**row) for row in connection.execute(query).mappings()]

"""Brings a backup back into an empty database and an empty store, and checks what is there then."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from db import audit, migrate
from db.session import engine_for, explained, transaction
from linewatch.backup import check
from linewatch.backup.database import bring_back, is_sqlite, require_alike, require_empty
from linewatch.backup.folder import digest, whole
from linewatch.backup.make import MODELS
from linewatch.backup.manifest import NAME, Manifest
from linewatch.doctor.findings import Finding, State
from linewatch.errors import BackupError, ModelError
from linewatch.settings import Settings
from model_store.copies import all_versions, read_version, write_version


def restore(folder: Path, settings: Settings, *, by: str) -> Iterator[Finding]:
    """Restore database and models; says what is there then.

    Models come first and the database last: a restore that broke off has left the database empty,
    and is simply repeated.

    Args:
        folder: a backup.
        settings: name the database and the store.
        by: who the audit log says restored it.

    Raises:
        BackupError: the backup does not hold, or there is something where it would go. Nothing
            is changed then.
        DatabaseError, ModelError: the database or the store does not answer, or refuses.
    """
    manifest = whole(folder)
    if manifest.database is None:
        raise BackupError(f"{folder} holds spools alone: give --spools to put those back")
    url = settings.sql_url
    check.require_known(manifest.database)
    require_alike(manifest.database, url)
    require_empty(url)
    missing = _missing_models(folder, manifest, settings.models_url)
    for name in missing:
        product, _, version = name.partition("/")
        content = read_version(str(folder / MODELS), product, version)
        write_version(settings.models_url, product, version, content)
    bring_back(manifest.database, folder, url)
    engine = engine_for(url)
    yield from check.contents(engine, settings.models_url, manifest, settings)
    if manifest.database.revision == migrate.newest():
        detail = {"manifest_sha256": digest(folder / NAME).sha256}
        with explained(url), transaction(engine) as connection:
            audit.append(connection, by, "backup.restore", str(folder.absolute()), detail)
    if not is_sqlite(url):
        words = "run `linewatch db prepare`, or `db roles`"
        if manifest.database.revision != migrate.newest():  # whose `prepare` would upgrade it
            words = "run `linewatch db roles --apply`, of the version that is to use it"
        yield Finding("rights", State.WARN, f"users and rights are in no backup: {words}")


def _missing_models(folder: Path, manifest: Manifest, url: str) -> list[str]:
    """The versions that the store lacks. Those that it has must be the backup's own.

    Raises:
        BackupError: it has others.
    """
    here = {f"{product}/{version}" for product, version in all_versions(url)}
    for name in sorted(here):
        product, _, version = name.partition("/")
        if not _same(str(folder / MODELS), url, product, version):
            raise BackupError(
                f"the model store has {name}, which is not of this backup, and nothing is "
                "overwritten: move the store away, or name an empty one in "
                "LINEWATCH_MODEL_STORE_URL"
            )
    return [name for name in manifest.models if name not in here]


def _same(one: str, other: str, product: str, version: str) -> bool:
    try:
        return read_version(one, product, version) == read_version(other, product, version)
    except ModelError:
        return False

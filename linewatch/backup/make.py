"""Makes a backup, with workers running or not.

The order is what makes it one: spools, then the database, then models. A picture is in a spool
until its verdict is committed, so it is in the one copy or in the other, or in both. A version is
in the store before the database names it, so whatever the copy names can be copied after it.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from linewatch import __version__
from linewatch.backup.folder import new_folder, sealed, write_manifest
from linewatch.backup.manifest import DatabaseCopy, Manifest
from linewatch.backup.settings import write_settings
from linewatch.backup.spools import copy_spools
from linewatch.errors import ModelError
from linewatch.settings import Settings

MODELS = "models"


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is whole; `manifest_sha256` kept elsewhere shows that nobody wrote it anew."""

    manifest: Manifest
    manifest_sha256: str
    not_audited: str | None  # why the audit log says nothing of it


def make_backup(folder: Path, settings: Settings, *, by: str, spools_only: bool = False) -> Made:
    """Write a backup into a new folder: all of it, or nothing.

    Args:
        folder: must not exist.
        settings: what is copied.
        by: who the audit log says made it.
        spools_only: leave database and models out, as on a camera's PC, which has none.

    Raises:
        BackupError: the folder exists, a program is missing, or there is no room.
        DatabaseError, SpoolError, ModelError: what is to be copied cannot be read.
    """
    with new_folder(folder) as draft:
        spools = copy_spools(settings.spool_folder, draft)
        database: DatabaseCopy | None = None
        models: tuple[str, ...] = ()
        left_out: tuple[str, ...] = ()
        if not spools_only:
            from linewatch.backup.database import copy_database

            database = copy_database(settings, draft)
            models, left_out = _copy_models(settings.models_url, draft)
        secrets = write_settings(settings, draft)
        files = sealed(draft)
        manifest = Manifest(
            linewatch=__version__,
            made_at=datetime.now(UTC),
            host=socket.gethostname(),
            database=database,
            models=models,
            spools=spools,
            secrets=secrets,
            left_out=left_out,
            files=files,
        )
        digest = write_manifest(draft, manifest)
    return Made(manifest, digest, _audited(settings, folder, manifest, digest, by))


def _copy_models(url: str, draft: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Copy every version; a damaged one does not keep the others from it, and is told."""
    from model_store.copies import all_versions, read_version, write_version

    copied, left_out = [], []
    for product, version in all_versions(url):
        try:
            content = read_version(url, product, version)
        except ModelError as error:
            if error.__cause__ is not None:  # the store is away: then this is no backup
                raise
            left_out.append(f"model {product}/{version}: {error}")
            continue
        try:
            write_version(str(draft / MODELS), product, version, content)
        except ModelError as error:
            raise error.__cause__ or error from None
        copied.append(f"{product}/{version}")
    return tuple(copied), tuple(left_out)


def _audited(
    settings: Settings, folder: Path, manifest: Manifest, digest: str, by: str
) -> str | None:
    """Note the backup in the audit log; why it could not be, or None."""
    if manifest.database is None:
        return None
    from sqlalchemy.exc import DBAPIError

    from db import audit, migrate
    from db.outage import in_a_line
    from db.session import engine_for, transaction

    have = manifest.database.revision
    if have != migrate.newest():  # as before an upgrade, which is what a backup is for
        return f"the database is of revision {have}, which only its own version writes to"
    detail = {"manifest_sha256": digest, "audit_head": manifest.database.audit_head}
    try:
        with transaction(engine_for(settings.sql_url)) as connection:
            audit.append(connection, by, "backup.make", str(folder.absolute()), detail)
    except DBAPIError as error:  # a standby, or a user that only reads
        return in_a_line(error)
    return None

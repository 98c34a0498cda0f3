"""Whether a backup, or what was restored from it, is what it was: in findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db import audit, copies, migrate
from db.inspections.rollup import discrepancies
from db.outage import in_a_line
from db.parts.recount import recount
from db.retention.policy import UNREGISTERED
from db.session import reading
from linewatch.backup.folder import faults, read_manifest
from linewatch.backup.make import MODELS
from linewatch.backup.manifest import DatabaseCopy, Manifest
from linewatch.backup.purged import purged_before
from linewatch.backup.scratch import readable
from linewatch.doctor.findings import Finding, State
from linewatch.errors import BackupError, ModelError
from linewatch.settings import Settings
from model_store.store import ModelStore


def check_backup(folder: Path, settings: Settings) -> Iterator[Finding]:
    """Check a backup where it lies; nothing in it is changed.

    Raises:
        BackupError: it has no manifest that can be read, or its database cannot be opened here.
        DatabaseError: the server to open it on does not answer.
    """
    manifest = read_manifest(folder)
    if wrong := faults(folder, manifest):
        yield from (Finding("files", State.FAIL, words) for words in wrong)
        return
    size = sum(each.bytes for each in manifest.files.values())
    words = f"{len(manifest.files)} files, {size} bytes, each as it was written"
    yield Finding("files", State.OK, words)
    if manifest.database is not None:
        require_known(manifest.database)
        with readable(manifest.database, folder, settings.sql_url) as engine:
            yield from contents(engine, str(folder / MODELS), manifest, settings)


def require_known(copy: DatabaseCopy) -> None:
    """See that this version of Linewatch can read a copy's schema.

    Raises:
        BackupError: a later version wrote it.
    """
    if not migrate.knows(copy.revision):
        raise BackupError(
            f"the backup's database is at revision {copy.revision}, which this version of "
            "Linewatch does not know: install the version that wrote it, or a newer one"
        )


def contents(
    engine: Engine, store_url: str, manifest: Manifest, settings: Settings
) -> Iterator[Finding]:
    """Whether a database and a store hold what was copied, and agree with themselves."""
    assert manifest.database is not None
    try:
        yield _rows(engine, manifest.database)
        if manifest.database.revision == migrate.newest():
            yield _audit(engine, manifest.database)
            ends = purged_before(engine, settings, manifest.made_at)
            yield _recount(engine, manifest.database, ends)
            yield _parts(engine)
        else:
            words = (
                f"is of revision {manifest.database.revision}, so that audit log, counts and parts "
                "are not looked at: once it is restored run `linewatch db upgrade`, `linewatch "
                "audit verify` and `linewatch db recount --check`"
            )
            yield Finding("schema", State.WARN, words)
        yield from _models(engine, store_url, manifest)
    except DBAPIError as error:
        yield Finding("database", State.FAIL, f"cannot be read: {in_a_line(error)}")


def _models(engine: Engine, url: str, manifest: Manifest) -> Iterator[Finding]:
    """Whether the store at `url` has every version that was copied, as the database recorded it."""
    store, good = ModelStore(url), 0
    with reading(engine) as connection:
        recorded = copies.recorded_models(connection)
    for name in manifest.models:
        product, _, version = name.partition("/")
        try:
            store.load(product, version, manifest_sha256=recorded.get((product, version)))
            good += 1
        except ModelError as error:
            yield Finding("models", State.FAIL, str(error))
    yield Finding("models", State.OK, f"{good} versions are as the database recorded them")
    for product, version in sorted(recorded):
        if f"{product}/{version}" not in manifest.models:
            words = f"{product}/{version} could not be copied when the backup was made"
            yield Finding("models", State.WARN, words)


def _rows(engine: Engine, copy: DatabaseCopy) -> Finding:
    with reading(engine) as connection:
        if damage := copies.damage(connection):
            return Finding("database", State.FAIL, f"its file is damaged: {damage}")
        found = copies.contents(connection)
    if found.revision != copy.revision:
        words = f"is at revision {found.revision}, and was at {copy.revision}"
        return Finding("database", State.FAIL, words)
    for name in sorted(found.rows.keys() | copy.rows.keys()):
        if found.rows.get(name) != copy.rows.get(name):
            words = f"{name} has {found.rows.get(name)} rows, and had {copy.rows.get(name)}"
            return Finding("database", State.FAIL, words)
    total, count = sum(found.rows.values()), len(found.rows)
    words = f"revision {found.revision}, {total} rows in {count} tables, as there were"
    return Finding("database", State.OK, words)


def _audit(engine: Engine, copy: DatabaseCopy) -> Finding:
    found = audit.verify(engine)
    if found.problem:
        return Finding("audit log", State.FAIL, found.problem)
    if found.head != copy.audit_head:
        words = f"its chain holds, but ends with {found.head}, and ended with {copy.audit_head}"
        return Finding("audit log", State.FAIL, words)
    return Finding("audit log", State.OK, f"{found.entries} entries hold; head {found.head}")


def _recount(engine: Engine, copy: DatabaseCopy, ends: Mapping[str, datetime]) -> Finding:
    """Whether the roll-ups say what the inspections say, but for what was purged before `ends`."""
    differing = discrepancies(engine, ZoneInfo(copy.timezone))
    others = ends[UNREGISTERED]
    wrong = [key for key in sorted(differing) if key.hour >= ends.get(key.product, others)]
    if wrong:
        key, (said, counted) = wrong[0], differing[wrong[0]]
        words = (
            f"the roll-up differs from the inspections in {len(wrong)} places, first at "
            f"{key.hour:%Y-%m-%d %H:%M} UTC, {key.line} {key.camera}: it says {said}, and "
            f"{counted} are there"
        )
        return Finding("recount", State.FAIL, words)
    words = "the roll-up says what the inspections say"
    if differing:
        words += f", but for {len(differing)} places that were purged"
    return Finding("recount", State.OK, words)


def _parts(engine: Engine) -> Finding:
    """Whether parts and their counts are what pictures and people say, where these are there."""
    found = recount(engine, mend=False)
    if found.parts or found.wrong:
        words = f"{found.parts} parts are not what pictures and people say"
        if found.wrong:
            one = found.wrong[0]
            words += (
                f", and counts differ in {len(found.wrong)} places, first on {one.plant_day}, "
                f"{one.line} {one.product}: {one.counted} were counted, and {one.found} are there"
            )
        return Finding("parts", State.FAIL, words)
    if not found.right:
        words = (
            f"{found.labelled} labelled pictures and {found.hours} hours of pictures, as reports "
            "read them, are not what labels, verdicts and counts say"
        )
        return Finding("parts", State.FAIL, words)
    words = "parts and their counts are what pictures and people say"
    if found.skipped:
        words += f", but for counts in {len(found.skipped)} places that were purged"
    if found.lost:
        words += f"; {found.lost} serial numbers have fewer pictures than were counted"
    return Finding("parts", State.WARN if found.lost else State.OK, words)

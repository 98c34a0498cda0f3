"""The spools of this machine, into a backup and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from linewatch.backup.manifest import Manifest, SpoolCopy
from linewatch.errors import BackupError
from producer.spool_copy import copy_spool, put_back

FOLDER = "spools"


def copy_spools(source: Path, backup: Path) -> tuple[SpoolCopy, ...]:
    """Copy every spool of a folder into a backup.

    Raises:
        SpoolError: a file there is no spool.
        OSError, sqlite3.Error: one cannot be read, or the backup cannot be written.
    """
    found = []
    for path in sorted(source.glob("*.db")):
        target = backup / FOLDER / path.name
        target.parent.mkdir(exist_ok=True)
        copied = copy_spool(path, target)
        found.append(
            SpoolCopy(
                file=target.relative_to(backup).as_posix(),
                producer=copied.producer,
                pictures=copied.pictures,
                copies=copied.copies,
            )
        )
    return tuple(found)


def restore_spools(backup: Path, manifest: Manifest, folder: Path) -> Iterator[str]:
    """Put every spool of a backup into `folder`; yields words for each one that is there now.

    Raises:
        BackupError: the backup has none.
        SpoolError: a spool is there already, or one cannot be written.
    """
    if not manifest.spools:
        raise BackupError(f"{backup} holds no spools: there were none where it was made")
    for spool in manifest.spools:
        target = folder / Path(spool.file).name
        put_back(backup / spool.file, target)
        yield f"{target}: {spool.pictures} pictures are sent again, {spool.copies} from copies"

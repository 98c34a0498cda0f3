"""Weights in one tar file, for machines without internet: what is packed, and what is let in."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from linewatch.errors import WeightsError
from vision.checksums import FILES, about_of, verify
from vision.weights import ABOUT_FILE

_CARD = "MODEL_CARD.md"
_LARGEST_BYTES = 8 * 1024**3  # the full pair has 0.7 GB; larger ones of these architectures exist
_LARGEST_TEXT_BYTES = 4 * 1024**2
_CHUNK = 1 << 20


def pack(folder: Path, archive: Path) -> None:
    """Write the weights in `folder` to `archive`, with their checksums. The file appears whole.

    Raises:
        WeightsError: the weights are incomplete or damaged, or `archive` cannot be written.
    """
    about = {**about_of(folder), "sha256": verify(folder)}
    text = (json.dumps(about, indent=1, sort_keys=True) + "\n").encode()
    try:
        with _written_whole(archive) as file, tarfile.open(fileobj=file, mode="w") as tar:
            _add(tar, ABOUT_FILE, io.BytesIO(text), len(text))
            for name in [*FILES, *([_CARD] if (folder / _CARD).is_file() else [])]:
                with (folder / name).open("rb") as source:
                    _add(tar, name, source, (folder / name).stat().st_size)
    except OSError as error:
        raise WeightsError(f"{archive} cannot be written: {error.strerror}") from None


def unpack(archive: Path, folder: Path, *, replace: bool = False) -> dict[str, str]:
    """Put the weights in `archive` into `folder`, all at once, if every checksum fits.

    Nothing but the files of a weights folder is taken, and only as plain files: an archive cannot
    write anywhere else, make a link, or fill the disk with something that no weights are.

    Returns:
        Each file's SHA-256.

    Raises:
        WeightsError: `archive` is no such tar, holds something else, or is damaged; or `folder`
            exists and `replace` is false.
    """
    with drafted(folder, replace=replace) as draft:
        try:
            with tarfile.open(archive, mode="r:") as tar:
                _extract(tar, archive, draft)
        except (tarfile.TarError, EOFError) as error:
            raise WeightsError(f"{archive} is no archive of weights ({error})") from None
        except OSError as error:
            raise WeightsError(f"{archive} cannot be unpacked: {error.strerror}") from None
        if not about_of(draft).get("sha256"):
            raise WeightsError(
                f"{archive} has no checksums; write it with `linewatch weights export`"
            )
        return verify(draft)


@contextmanager
def drafted(folder: Path, *, replace: bool) -> Iterator[Path]:
    """A temporary folder beside `folder` that takes its place when the block ends well.

    Raises:
        WeightsError: `folder` exists and `replace` is false, or cannot be written.
    """
    if folder.exists() and not replace:
        raise WeightsError(f"{folder} exists; say --replace to put other weights in its place")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    except OSError as error:
        raise WeightsError(f"{folder} cannot be written: {error.strerror}") from None
    try:
        yield draft
        draft.chmod(0o755)  # mkdtemp's folders are their owner's alone
        old = draft.with_name(f"{draft.name}-old")
        if folder.exists():
            folder.rename(old)
        try:
            draft.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _written_whole(path: Path) -> Iterator[IO[bytes]]:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with draft.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _add(tar: tarfile.TarFile, name: str, source: IO[bytes], size: int) -> None:
    member = tarfile.TarInfo(name)  # owner, time and mode stay at their defaults: equal archives
    member.size = size
    tar.addfile(member, source)


def _extract(tar: tarfile.TarFile, archive: Path, draft: Path) -> None:
    taken: set[str] = set()
    for member in tar:
        _check(member, archive, taken)
        taken.add(member.name)
        source = tar.extractfile(member)
        assert source is not None  # of a plain file it never is
        target = draft / member.name
        target.parent.mkdir(exist_ok=True)
        with target.open("xb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
    missing = [name for name in (ABOUT_FILE, *FILES) if name not in taken]
    if missing:
        raise WeightsError(f"{archive} holds no {', '.join(missing)}")


def _check(member: tarfile.TarInfo, archive: Path, taken: set[str]) -> None:
    """Refuse what is no file of a weights folder."""
    if member.name not in {ABOUT_FILE, _CARD, *FILES}:
        raise WeightsError(f"{archive} holds {member.name!a:.200}, which is no part of any weights")
    if not member.isreg() or member.issparse():
        raise WeightsError(f"{archive}: {member.name} is not a plain file")
    if member.name in taken:
        raise WeightsError(f"{archive} holds {member.name} twice")
    limit = _LARGEST_BYTES if member.name.endswith(".safetensors") else _LARGEST_TEXT_BYTES
    if member.size > limit:
        raise WeightsError(f"{archive}: {member.name} has {member.size} bytes; {limit} are allowed")

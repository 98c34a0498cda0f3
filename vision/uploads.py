"""Keeps uploaded pictures: files beneath an image root, called by the hash of what they hold.

The same bytes are one file, however often they come.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from linewatch.errors import ConfigurationError
from linewatch.folder_sync import sync_folder
from linewatch.private_files import make_folder
from producer.contract import Reason
from vision import headers
from vision.decode import digest, read_header
from vision.errors import Unjudgeable

if TYPE_CHECKING:
    from linewatch.settings import Settings


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that is kept: its file:// URI, the SHA-256 of its bytes, and their number."""

    uri: str
    sha256: str
    size: int


class UploadStore:
    """A folder of uploaded pictures.

    Args:
        folder: made if missing.
        max_bytes, max_pixels: the largest picture that is taken.
    """

    def __init__(self, folder: Path, *, max_bytes: int, max_pixels: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._max_pixels = max_pixels

    @classmethod
    def from_settings(cls, settings: Settings) -> UploadStore:
        """The folder of the settings.

        Raises:
            ConfigurationError: none is set, or it lies beneath no image root.
        """
        folder = settings.upload_dir
        if folder is None:
            raise ConfigurationError(
                "no upload is taken: set LINEWATCH_UPLOAD_DIR to a folder beneath one of "
                "LINEWATCH_IMAGE_ROOTS"
            )
        real = Path(os.path.realpath(folder))
        if not any(real.is_relative_to(os.path.realpath(root)) for root in settings.image_roots):
            raise ConfigurationError(
                f"LINEWATCH_UPLOAD_DIR: {folder} is beneath none of LINEWATCH_IMAGE_ROOTS, so no "
                "worker would read what lies there"
            )
        return cls(folder, max_bytes=settings.max_image_bytes, max_pixels=settings.max_image_pixels)

    def put(
        self,
        data: bytes | Iterable[bytes],
        *,
        size: int | None = None,
        sha256: str | None = None,
    ) -> Upload:
        """Keep a picture; when it returns, it is on disk under its name, whole.

        Args:
            data: its file, or the pieces of it as they come; no more than `max_bytes` are taken.
            size, sha256: what the sender says of it, if it does.

        Raises:
            Unjudgeable: empty, too_large, not_an_image, corrupt, or hash_mismatch where it is not
                what the sender says, as after an upload that was cut off.
            OSError: the folder cannot be written.
        """
        picture = self._whole(data)
        if size is not None and size != len(picture):
            detail = f"{len(picture)} bytes came of {size}: the upload was cut off; send it again"
            raise Unjudgeable(Reason.HASH_MISMATCH, detail)
        found = digest(picture)
        if sha256 is not None and sha256.lower() != found:
            detail = f"the SHA-256 of what came is {found}, not {sha256!a:.80}; send it again"
            raise Unjudgeable(Reason.HASH_MISMATCH, detail)
        header = read_header(picture, max_pixels=self._max_pixels)
        headers.check(picture, header)
        target = self._folder / found[:2] / f"{found}.{header.format.lower()}"
        if not target.exists():
            _write(target, picture)
        return Upload(target.absolute().as_uri(), found, len(picture))

    def _whole(self, data: bytes | Iterable[bytes]) -> bytes:
        pieces: list[bytes] = []
        total = 0
        for piece in [data] if isinstance(data, bytes) else data:
            total += len(piece)
            if total > self._max_bytes:
                detail = f"more than LINEWATCH_MAX_IMAGE_BYTES ({self._max_bytes}) came"
                raise Unjudgeable(Reason.TOO_LARGE, detail)
            pieces.append(piece)
        if not total:
            raise Unjudgeable(Reason.EMPTY, "nothing came")
        return b"".join(pieces)


def _write(target: Path, data: bytes) -> None:
    """All of it or nothing, on disk when it returns; two that write the same disturb nobody."""
    make_folder(target.parent)
    draft = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        with draft.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        sync_folder(target.parent)
    finally:
        draft.unlink(missing_ok=True)

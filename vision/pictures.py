"""Where pictures are read from: the image roots, and the buckets that are allowed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from linewatch.settings.path_map import PathMap, windows_path
from producer.contract import Reason
from vision.errors import Unjudgeable
from vision.s3 import SCHEME, S3Pictures
from vision.source import PictureFile, quiet_for_s, read_file

if TYPE_CHECKING:
    from linewatch.settings import Settings


@dataclass(frozen=True, slots=True)
class Pictures:
    """The one way to a picture's bytes. Safe to use from many threads.

    Args:
        roots: the folders that pictures may lie in.
        max_bytes: the largest picture that is read.
        paths: where folders of Windows PCs lie here.
        objects: the buckets of an S3 server; None: none is allowed.
    """

    roots: tuple[Path, ...]
    max_bytes: int
    paths: PathMap = field(default_factory=PathMap)
    objects: S3Pictures | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Pictures:
        """As the settings have it.

        Raises:
            ConfigurationError: buckets are allowed, and s3fs is not installed.
        """
        return cls(
            settings.image_roots,
            settings.max_image_bytes,
            PathMap.parse(settings.path_map),
            S3Pictures.from_settings(settings),
        )

    def local(self, uri: str) -> str:
        """What `uri` is called here: a mapped path of a Windows PC by its path of this machine."""
        return self.paths.local(uri)

    def read(self, uri: str) -> PictureFile:
        """Read the picture at an absolute path, file:// or s3:// URI.

        Raises:
            Unjudgeable: what `vision.source.read_file` and `S3Pictures.read` raise; outside_root
                for a path of a Windows PC that is not mapped, and a bucket where none is allowed.
        """
        if uri[: len(SCHEME)].lower() == SCHEME:
            if self.objects is None:
                detail = "no bucket is allowed; name the pictures' bucket in LINEWATCH_S3_BUCKETS"
                raise Unjudgeable(Reason.OUTSIDE_ROOT, detail)
            return self.objects.read(uri, self.max_bytes)
        here = self.local(uri)
        there = windows_path(here)
        if there is not None and not here.startswith("/"):
            detail = f"{there!a:.200} is beneath no folder that LINEWATCH_PATH_MAP maps"
            raise Unjudgeable(Reason.OUTSIDE_ROOT, detail)
        return read_file(here, roots=self.roots, max_bytes=self.max_bytes)

    def quiet_for_s(self, uri: str) -> float:
        """How long ago it was last written to, in seconds; infinite where nobody can say."""
        if uri[: len(SCHEME)].lower() == SCHEME:
            return math.inf  # an object is there whole or not at all
        return quiet_for_s(self.local(uri))

"""Checks of where pictures are read from: roots, folders of Windows PCs, buckets, uploads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from linewatch.doctor.findings import Finding, State
from linewatch.errors import ConfigurationError
from linewatch.settings import Settings
from linewatch.settings.path_map import PathMap


def places(settings: Settings) -> Iterator[Finding]:
    """Whether each place is there and may be read."""
    if not settings.image_roots and not settings.s3_buckets:
        advice = "none: every picture is rejected as outside_root; set LINEWATCH_IMAGE_ROOTS"
        yield Finding("image roots", State.FAIL, advice)
    for root in settings.image_roots:
        if not root.exists() and root.is_relative_to(settings.data_dir):
            words = f"{root} is made with the first picture that is uploaded"
            yield Finding("image roots", State.OK, words)
        elif not root.is_dir():
            yield Finding("image roots", State.FAIL, f"{root} is not a folder")
        elif not os.access(root, os.R_OK | os.X_OK):
            yield Finding("image roots", State.FAIL, f"{root} may not be read by this user")
        else:
            yield Finding("image roots", State.OK, str(root))
    yield from _path_map(settings)
    yield from _uploads(settings)
    yield from _buckets(settings)


def _path_map(settings: Settings) -> Iterator[Finding]:
    roots = [os.path.realpath(root) for root in settings.image_roots]
    for there, here in PathMap.parse(settings.path_map).folders:
        if any(Path(os.path.realpath(here)).is_relative_to(root) for root in roots):
            yield Finding("path map", State.OK, f"{there} is {here}")
        else:
            advice = f"{there} is {here}, which is beneath none of LINEWATCH_IMAGE_ROOTS: its "
            advice += "pictures are rejected as outside_root"
            yield Finding("path map", State.FAIL, advice)


def _uploads(settings: Settings) -> Iterator[Finding]:
    if settings.upload_dir is None:
        return
    from vision.uploads import UploadStore

    try:
        UploadStore.from_settings(settings)
    except ConfigurationError as error:
        yield Finding("uploads", State.FAIL, str(error))
    else:
        yield Finding("uploads", State.OK, str(settings.upload_dir))


def _buckets(settings: Settings) -> Iterator[Finding]:
    from vision.s3 import S3Pictures

    server = S3Pictures.from_settings(settings)
    for bucket in settings.s3_buckets:
        problem = server.problem(bucket) if server else None
        yield Finding("buckets", State.FAIL if problem else State.OK, problem or f"s3://{bucket}")

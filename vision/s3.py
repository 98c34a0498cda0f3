"""Reads a picture's bytes from an S3 server: from the buckets allowed by name, and from no other.

An object is there whole or not at all, so none is ever read while it is written.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from linewatch.extras import need
from producer.contract import Reason
from vision.errors import Unjudgeable
from vision.source import PictureFile

if TYPE_CHECKING:
    from linewatch.settings import Settings

SCHEME = "s3://"
_TRIES = 2
_Answer = TypeVar("_Answer")


class Access(NamedTuple):
    """How to get into a server; empty: Amazon's, and as boto3 finds its keys."""

    endpoint_url: str = ""
    region: str = ""
    key: str = ""
    secret: str = ""


class S3Pictures:
    """Pictures of an S3 server. Safe to use from many threads; connects when first used.

    Args:
        allowed: names of buckets, or `bucket/folder`.
        access: where the server is, and the keys to it.
        timeout_s: for one picture, tries again included.

    Raises:
        ConfigurationError: s3fs is not installed.
    """

    def __init__(
        self, allowed: Sequence[str], access: Access | None = None, *, timeout_s: float = 10.0
    ) -> None:
        need("s3fs")
        self._allowed = tuple(name.strip("/") for name in allowed)
        self._access = access or Access()
        self._timeout_s = timeout_s

    @classmethod
    def from_settings(cls, settings: Settings) -> S3Pictures | None:
        """That of the settings; None where no bucket is allowed."""
        if not settings.s3_buckets:
            return None
        access = Access(
            settings.s3_endpoint_url,
            settings.s3_region,
            settings.s3_access_key.get_secret_value(),
            settings.s3_secret_key.get_secret_value(),
        )
        return _shared(settings.s3_buckets, access, settings.s3_timeout_s)

    def read(self, uri: str, max_bytes: int) -> PictureFile:
        """The object at `s3://bucket/key`; the key is taken as it is, nothing is decoded.

        Raises:
            Unjudgeable: outside_root, missing, not_a_file, empty, too_large or unreadable.
        """
        path, files = self._checked(uri), self._files
        until = time.monotonic() + self._timeout_s
        found = self._ask(uri, until, lambda s: files.info(path, timeout=s))
        if found["type"] != "file":
            raise Unjudgeable(Reason.NOT_A_FILE, f"{uri} is a folder of its bucket")
        if not found["size"]:
            raise Unjudgeable(Reason.EMPTY, f"{uri} is empty")
        _check_size(uri, int(found["size"]), max_bytes)
        # One byte more than allowed: it may have been replaced by a larger one since.
        data: bytes = self._ask(
            uri,
            until,
            lambda s: files.cat_file(path, start=0, end=max_bytes + 1, timeout=s),
        )
        _check_size(uri, len(data), max_bytes)
        return PictureFile(data, int(found["LastModified"].timestamp() * 1e9))

    def problem(self, bucket: str) -> str | None:
        """Why a bucket, or a folder of one, cannot be read from now; None: it can.

        An empty folder may be one of tomorrow.
        """
        uri, files = f"{SCHEME}{bucket}", self._files
        until = time.monotonic() + self._timeout_s
        try:
            self._ask(uri, until, lambda s: files.ls(bucket, timeout=s))
        except Unjudgeable as error:
            empty = error.reason is Reason.MISSING and "/" in bucket
            return None if empty else error.detail
        return None

    def _checked(self, uri: str) -> str:
        path = uri[len(SCHEME) :]
        bucket, _, key = path.partition("/")
        if not key or not path.isprintable():
            raise Unjudgeable(Reason.OUTSIDE_ROOT, f"{uri!a:.200} is not s3://bucket/key")
        if {".", ".."} & set(path.split("/")):  # a proxy or a server may take it for another key
            raise Unjudgeable(Reason.OUTSIDE_ROOT, f"{uri!a:.200} has a part that is . or ..")
        if not any(path.startswith(f"{allowed}/") for allowed in self._allowed):
            detail = f"s3://{bucket}/… is not allowed: LINEWATCH_S3_BUCKETS does not name it"
            raise Unjudgeable(Reason.OUTSIDE_ROOT, detail)
        return path

    def _ask(self, uri: str, until: float, question: Callable[[float], _Answer]) -> _Answer:
        try:
            return question(max(0.001, until - time.monotonic()))
        except FileNotFoundError:
            raise Unjudgeable(Reason.MISSING, f"{uri} does not exist at {self._where}") from None
        except PermissionError:
            detail = f"{self._where} refuses {uri}: its keys must be allowed to read it"
            raise Unjudgeable(Reason.UNREADABLE, detail) from None
        except TimeoutError:  # fsspec's is one
            detail = f"{self._where} did not give {uri} within {self._timeout_s:g} s"
            raise Unjudgeable(Reason.UNREADABLE, detail) from None
        except MemoryError:
            raise
        except Exception as error:  # broken servers make a driver raise nearly anything
            detail = f"{uri} cannot be read from {self._where}: {_in_a_line(error)}"
            raise Unjudgeable(Reason.UNREADABLE, detail) from None

    @property
    def _where(self) -> str:
        return f"the S3 server {self._access.endpoint_url or 'of Amazon'}"

    @cached_property
    def _files(self) -> Any:
        from s3fs import S3FileSystem

        access, seconds = self._access, self._timeout_s
        files = S3FileSystem(
            key=access.key or None,
            secret=access.secret or None,
            endpoint_url=access.endpoint_url or None,
            client_kwargs={"region_name": access.region} if access.region else None,
            config_kwargs={
                "connect_timeout": seconds,
                "read_timeout": seconds,
                "retries": {"total_max_attempts": 1},  # s3fs tries again itself
            },
            use_listings_cache=False,
            skip_instance_cache=True,  # another part of this process may have other keys
        )
        files.retries = _TRIES
        files.connect()  # asks nobody, but takes as long as a picture's whole time on a busy PC
        return files


@lru_cache(maxsize=4)  # its connections are kept
def _shared(allowed: tuple[str, ...], access: Access, timeout_s: float) -> S3Pictures:
    return S3Pictures(allowed, access, timeout_s=timeout_s)


def _check_size(uri: str, size: int, max_bytes: int) -> None:
    if size > max_bytes:
        detail = f"{uri} has {size} bytes or more; LINEWATCH_MAX_IMAGE_BYTES is {max_bytes}"
        raise Unjudgeable(Reason.TOO_LARGE, detail)


def _in_a_line(error: Exception) -> str:
    return f"{' '.join(str(error).split()) or type(error).__name__:.200}"

"""What a camera says of a picture, checked against the contract before it is accepted."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from linewatch.errors import SubmissionError
from linewatch.settings import Settings
from producer.admission import Entry
from producer.contract import ImageRef
from producer.contract.message import Name
from producer.copies import copy_picture
from producer.hashing import look
from producer.inbox import printable
from producer.ledger import SeenFile
from producer.uuid7 import uuid7

_name = TypeAdapter(Name)
OBJECT = "s3://"


@dataclass(frozen=True, slots=True)
class Submission:
    """A picture to submit; `Camera.submit` says what the fields are.

    `seen` is the file's state when it was found complete. It is noted in the spool's ledger when
    the picture is accepted, and a file that is not in that state any more is not accepted.
    `camera` is the one that took it, if it is not the one that hands it over.
    """

    path: str | os.PathLike[str]
    part: str | None = None
    lot: str | None = None
    captured_at: datetime | None = None
    seen: SeenFile | None = None
    pass_number: int | None = None
    views: Sequence[str] | None = None
    work_order: str | None = None
    purpose: str | None = None
    trace_id: str | None = None
    camera: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Station:
    """Where pictures come from and what they show."""

    line: str
    camera: str
    product: str

    @classmethod
    def checked(cls, line: str, camera: str, product: str) -> Station:
        """A station whose names the contract allows.

        Raises:
            SubmissionError: names the name that is not usable.
        """
        names = {"line": line, "camera": camera, "product": product}
        for what, value in names.items():
            try:
                names[what] = _name.validate_python(value)
            except ValidationError as error:
                raise SubmissionError(
                    f"{what} {value!r} is not usable: {error.errors()[0]['msg']}"
                ) from None
        return cls(**names)

    def spool_path(self, settings: Settings) -> Path:
        """The spool of this line and camera, the same for every process."""
        return settings.spool_folder / f"{_file_name(self.line)}@{_file_name(self.camera)}.db"


def to_entry(
    submission: Submission,
    station: Station,
    burst: str | None,
    copies: Path | None,
    seen_max_bytes: int = 0,
) -> Entry:
    """Give a picture its id and make it ready for the spool, copied into `copies` if given.

    Without a copy, what the file holds now goes with it, see `producer.hashing`; 0 bytes: nothing.

    Raises:
        SubmissionError: a field cannot be used, or the copy cannot be made.
    """
    picture_id = uuid7()
    place = os.fspath(submission.path)
    is_object = isinstance(place, str) and place.startswith(OBJECT)
    path = Path(submission.path).absolute()
    uri = str(place) if is_object else printable(path)
    image = _checked(str(picture_id), uri, submission, station)
    name, size, sha256 = None, 0, None
    if is_object:
        copies, seen_max_bytes = None, 0  # this PC may not even be allowed to read it
    if copies is None and seen_max_bytes:
        found = look(path, seen_max_bytes)
        if found is not None:
            _check_unchanged(submission, found.mtime_ns, found.seen.size)
            image = image.model_copy(update={"seen": found.seen})
            sha256 = found.seen.sha256
    elif copies is not None:
        copy = copy_picture(path, copies, f"{picture_id}{path.suffix}")
        image = image.model_copy(update={"uri": printable(copy.path), "sha256": copy.sha256})
        name, size, sha256 = copy.path.name, copy.bytes, copy.sha256
        try:
            _check_unchanged(submission, copy.mtime_ns, copy.bytes)
            _check_hash(submission, copy.sha256)
        except SubmissionError:
            copy.path.unlink(missing_ok=True)
            raise
    return Entry(
        id=str(picture_id),
        line=station.line,
        product=station.product,
        image=_as_json(image),
        burst=burst,
        copy=name,
        copy_bytes=size,
        seen=submission.seen,
        sha256=sha256,
    )


def _as_json(image: ImageRef) -> str:
    """Without what need not be said: `attempt`, which the sender adds, and a hash of all blocks."""
    if image.seen is None or image.seen.every > 1:
        return image.model_dump_json(exclude={"attempt"}, exclude_none=True)
    left_out: Any = {"attempt": True, "seen": {"every": True}}
    return image.model_dump_json(exclude=left_out, exclude_none=True)


def _check_unchanged(submission: Submission, mtime_ns: int, size: int) -> None:
    was = submission.seen
    if was is not None and (was.mtime_ns, was.size) != (mtime_ns, size):
        raise SubmissionError(
            f"{submission.path} was written to while it was handed over; what it holds now comes "
            "as another picture, once it is complete"
        )


def _check_hash(submission: Submission, sha256: str) -> None:
    if submission.sha256 not in (None, sha256):
        raise SubmissionError(
            f"{submission.path} has the SHA-256 {sha256}, and not {submission.sha256!a:.80}; "
            "submit it when it is whole"
        )


def _checked(picture_id: str, uri: str, submission: Submission, station: Station) -> ImageRef:
    try:
        return ImageRef.model_validate(
            {
                "id": picture_id,
                "uri": uri,
                "camera": station.camera if submission.camera is None else submission.camera,
                "captured_at": submission.captured_at or datetime.now(UTC),
                "part": submission.part,
                "lot": submission.lot,
                "pass_number": submission.pass_number,
                "views": None if submission.views is None else list(submission.views),
                "work_order": submission.work_order,
                "purpose": submission.purpose,
                "trace_id": submission.trace_id,
                "sha256": submission.sha256,
            }
        )
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(map(str, problem["loc"]))
        raise SubmissionError(f"{uri}: {field}: {problem['msg']}") from None


def _file_name(name: str) -> str:
    safe = re.sub(r"[^A-Za-z0-9_.-]|^\.", "_", name)
    if safe == name:
        return name
    return f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"  # two names, two spools

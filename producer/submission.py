"""What a camera says of a picture, checked against the contract before it is accepted."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from linewatch.errors import SubmissionError
from linewatch.settings import Settings
from producer.admission import Entry
from producer.contract import ImageRef
from producer.contract.message import Name
from producer.copies import copy_picture
from producer.ledger import SeenFile
from producer.uuid7 import uuid7

_name = TypeAdapter(Name)


@dataclass(frozen=True, slots=True)
class Submission:
    """A picture to submit. `seen` is noted in the spool's ledger when it is accepted."""

    path: str | os.PathLike[str]
    part: str | None = None
    lot: str | None = None
    captured_at: datetime | None = None
    seen: SeenFile | None = None


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
    submission: Submission, station: Station, burst: str | None, copies: Path | None
) -> Entry:
    """Give a picture its id and make it ready for the spool, copied into `copies` if given.

    Raises:
        SubmissionError: a field cannot be used, or the copy cannot be made.
    """
    picture_id = uuid7()
    path = Path(submission.path).absolute()
    image = _checked(picture_id=str(picture_id), path=path, submission=submission, station=station)
    name, size = None, 0
    if copies is not None:
        copy = copy_picture(path, copies, f"{picture_id}{path.suffix}")
        image = image.model_copy(update={"uri": _uri(copy.path), "sha256": copy.sha256})
        name, size = copy.path.name, copy.bytes
    return Entry(
        id=str(picture_id),
        line=station.line,
        product=station.product,
        image=image.model_dump_json(exclude={"attempt"}, exclude_none=True),
        burst=burst,
        copy=name,
        copy_bytes=size,
        seen=submission.seen,
    )


def _checked(picture_id: str, path: Path, submission: Submission, station: Station) -> ImageRef:
    try:
        return ImageRef.model_validate(
            {
                "id": picture_id,
                "uri": _uri(path),
                "camera": station.camera,
                "captured_at": submission.captured_at or datetime.now(UTC),
                "part": submission.part,
                "lot": submission.lot,
            }
        )
    except ValidationError as error:
        problem = error.errors()[0]
        field = ".".join(map(str, problem["loc"]))
        raise SubmissionError(f"{path}: {field}: {problem['msg']}") from None


def _uri(path: Path) -> str:
    """The path, or a file:// URI where its name is not UTF-8 and so cannot stand in JSON."""
    text = str(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        return path.as_uri()
    return text


def _file_name(name: str) -> str:
    safe = re.sub(r"[^A-Za-z0-9_.-]|^\.", "_", name)
    if safe == name:
        return name
    return f"{safe}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"  # two names, two spools

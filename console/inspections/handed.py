"""What comes with a picture: its bytes, bounded as they arrive, and what is said of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any

import anyio
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from producer.contract.message import Name, Text, TraceId, Views
from producer.contract.seen import Sha256
from producer.contract.vocabulary import Purpose
from producer.submission import Station, Submission

FILE = "picture"  # the form's field that holds it
_FIELD_BYTES = 16 * 1024  # of all the rest of a form
_ARRIVES_WITHIN_S = 120.0
_LATE = f"the picture took longer than {_ARRIVES_WITHIN_S:.0f} s to come"
_ADVICE = "see LINEWATCH_MAX_IMAGE_BYTES"
_AT_ONCE = 4  # pictures in memory


class Said(BaseModel):
    """What is said of a picture, beside the picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    product: Name = Field(description="A product that is set up here.")
    line: Name = Field(description="The line that the part is on.")
    camera: Name = Field(description="The camera that took it.")
    part: Text | None = Field(default=None, description="The part's serial number.")
    lot: Text | None = Field(default=None, description="The lot it belongs to.")
    captured_at: AwareDatetime | None = Field(
        default=None, description="When it was taken, with a time zone; left out: now."
    )
    pass_number: int | None = Field(
        default=None, ge=1, le=1_000_000, description="The part's pass through the line, from 1."
    )
    views: Views | None = Field(
        default=None, description="The cameras whose pictures make this part's pass complete."
    )
    work_order: Text | None = Field(default=None, description="What the part is made for.")
    purpose: Purpose | None = Field(default=None, description="Left out: ordinary production.")
    trace_id: TraceId | None = Field(default=None, description="W3C trace id.")
    sha256: Sha256 | None = Field(default=None, description="If given, the file must match it.")

    @property
    def station(self) -> Station:
        """Line, camera and product."""
        return Station(self.line, self.camera, self.product)

    @property
    def submission(self) -> Submission:
        """All the rest."""
        names = ("part", "lot", "captured_at", "pass_number", "views", "work_order", "trace_id")
        fields: dict[str, Any] = {name: getattr(self, name) for name in names}
        return Submission("", purpose=self.purpose and self.purpose.value, **fields)


@dataclass(frozen=True, slots=True)
class Handed:
    """A picture's file and what is said of it."""

    data: bytes
    said: Said


@dataclass(frozen=True, slots=True)
class FormFile:
    """A file of a form, its name cut to what a sentence can hold, and the form, which is closed."""

    name: str
    data: bytes
    form: FormData


async def handed(request: Request, max_bytes: int) -> Handed:
    """Read a request: the picture alone, with the rest in the address, or a form of both.

    Args:
        request: whose body nobody has read.
        max_bytes: the largest picture; no more than that, and a form's fields, is ever read.

    Raises:
        HTTPException: 408, 413, 415 or 422, with what is wrong.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        with anyio.fail_after(_ARRIVES_WITHIN_S):
            if kind == "multipart/form-data":
                file = await form_file(request, FILE, max_bytes)
                return Handed(file.data, _said(file.form, but=FILE))
            if kind.startswith("image/") or kind == "application/octet-stream":
                return Handed(await _bytes(request, max_bytes), _said(request.query_params))
    except TimeoutError:
        raise HTTPException(408, _LATE) from None
    raise HTTPException(
        415,
        "send the picture as the body, with a content-type of image/…, or as the field "
        f"`{FILE}` of multipart/form-data",
    )


async def body(request: Request, max_bytes: int) -> bytes:
    """A request's body, a picture alone.

    Raises:
        HTTPException: 408 or 413.
    """
    try:
        with anyio.fail_after(_ARRIVES_WITHIN_S):
            return await _bytes(request, max_bytes)
    except TimeoutError:
        raise HTTPException(408, _LATE) from None


def slots(request: Request) -> anyio.CapacityLimiter:
    """Few at a time: each picture lies in memory until it is on disk."""
    limiter: anyio.CapacityLimiter | None = getattr(request.app.state, "slots", None)
    if limiter is None:
        limiter = request.app.state.slots = anyio.CapacityLimiter(_AT_ONCE)
    return limiter


async def _bytes(request: Request, max_bytes: int) -> bytes:
    return b"".join([piece async for piece in _bounded(request, max_bytes)])


async def form_file(
    request: Request, field: str, max_bytes: int, advice: str = _ADVICE
) -> FormFile:
    """A file of a form.

    Args:
        request: whose body nobody has read.
        field: the file's.
        max_bytes: of the file; no more than that, and the other fields, is ever read.
        advice: what to do about a larger one.

    Raises:
        HTTPException: 413 or 422.
    """
    pieces = _bounded(request, max_bytes + _FIELD_BYTES, advice)
    parser = MultiPartParser(
        request.headers, pieces, max_files=1, max_fields=80, max_part_size=_FIELD_BYTES
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(422, f"the form cannot be read: {error.message}") from None
    file = form.get(field)
    try:
        if not isinstance(file, UploadFile):
            raise HTTPException(422, f"the form has no file called `{field}`")
        return FormFile((file.filename or "the file")[:100], await file.read(), form)
    finally:
        await form.close()


async def _bounded(
    request: Request, max_bytes: int, advice: str = _ADVICE
) -> AsyncGenerator[bytes, None]:
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > max_bytes:
        raise _too_large(max_bytes, advice)
    total = 0
    async for piece in request.stream():
        total += len(piece)
        if total > max_bytes:
            raise _too_large(max_bytes, advice)
        yield piece


def _too_large(max_bytes: int, advice: str) -> HTTPException:
    return HTTPException(413, f"more than {max_bytes} bytes; {advice}")


def _said(fields: Any, but: str = "") -> Said:
    """Fields of an address or a form; `views` may come several times."""
    values: dict[str, Any] = {
        name: value for name, value in fields.items() if name not in (but, "views")
    }
    if views := fields.getlist("views"):
        values["views"] = views
    try:
        return Said.model_validate(values)
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise HTTPException(422, "; ".join(wrong)) from None

"""`linewatch.inspect`, version 1: one to 64 pictures of one product from one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from linewatch.errors import LinewatchError
from producer.contract.seen import Seen, Sha256
from producer.contract.signing import Signature, SigningKeys
from producer.contract.unknown import Unknown, split
from producer.contract.vocabulary import Purpose, Reason

TASK = "linewatch.inspect"
QUEUE = "inspect"
VERSION: Final = 1
MAX_IMAGES = 64
MAX_ATTEMPT = 2**31 - 1
_MAX_SAID = 80  # characters of a field's name that a refusal repeats


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must hold no control characters")
    return value


def _some(value: str) -> str:
    if not value.strip("0"):
        raise ValueError("must not be all zeros")
    return value


def _distinct(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("must not name one twice")
    return values


def _whole(value: object) -> object:
    """A number and no text or truth value that Python makes one of; 1.0 is 1, as in JSON."""
    if type(value) not in (int, float):
        raise ValueError("must be a whole number")
    return value


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, strip_whitespace=True),
    AfterValidator(_printable),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
_PRODUCER_ID = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"
ProducerId = Annotated[str, StringConstraints(pattern=_PRODUCER_ID)]
# A W3C trace id, https://www.w3.org/TR/trace-context/#trace-id: not all zeros.
TraceId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$"), AfterValidator(_some)]
Views = Annotated[
    tuple[Name, ...], Field(min_length=1, max_length=MAX_IMAGES), AfterValidator(_distinct)
]


class ImageRef(BaseModel):
    """One picture: where it lies and which part it shows. `id` makes a second delivery harmless."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: UUID = Field(description="Unique for ever; UUIDv7 keeps the database in order of time.")
    uri: Annotated[str, StringConstraints(min_length=1, max_length=4096)] = Field(
        description="An absolute path, file:// or s3:// URI, as the worker sees it or maps it."
    )
    camera: Name
    captured_at: AwareDatetime
    part: Text | None = Field(default=None, description="The part's serial number.")
    lot: Text | None = None
    sha256: Sha256 | None = Field(default=None, description="If given, the file must match it.")
    attempt: Annotated[int, BeforeValidator(_whole)] = Field(
        default=1, ge=1, le=MAX_ATTEMPT, description="How often the producer has sent it."
    )
    seen: Seen | None = Field(
        default=None, description="The file at submit; one that differs is rejected as `changed`."
    )
    pass_number: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = Field(
        default=None,
        description="The part's pass through the line, from 1; a later one inspects it again.",
    )
    views: Views | None = Field(
        default=None, description="The cameras whose pictures make this part's pass complete."
    )
    work_order: Text | None = Field(default=None, description="What the part is made for.")
    purpose: Purpose | None = Field(default=None, description="Left out: ordinary production.")
    trace_id: TraceId | None = Field(default=None, description="W3C trace id of this picture.")


class Envelope(BaseModel):
    """What a message says once for all its pictures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = VERSION
    product: Name
    line: Name
    enqueued_at: AwareDatetime
    producer: ProducerId | None = Field(
        default=None, description="Receipts go to the list linewatch:receipts:<producer>."
    )
    signature: Signature | None = Field(
        default=None, description="HMAC-SHA256 over the canonical JSON of all the rest."
    )
    site: Name | None = Field(default=None, description="The plant in which the line stands.")


class InspectMessage(Envelope):
    """The whole message, as a producer builds it and as the JSON Schema describes it."""

    images: Annotated[tuple[ImageRef, ...], Field(min_length=1, max_length=MAX_IMAGES)]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A picture of a readable message whose own fields cannot be used."""

    id: UUID | None
    detail: str
    fields: object


@dataclass(frozen=True, slots=True)
class ParsedMessage:
    """A readable message: its pictures, and those whose fields were refused.

    `unknown` has the pictures of which something unknown is said; see `producer.contract.unknown`.
    """

    envelope: Envelope
    images: tuple[ImageRef, ...]
    refusals: tuple[Refusal, ...]
    unknown: Mapping[UUID, Unknown] = field(default_factory=dict)


class UnreadableMessageError(LinewatchError):
    """The message as a whole cannot be read."""

    def __init__(
        self, reason: Reason, detail: str, ids: tuple[UUID, ...], producer: str | None
    ) -> None:
        super().__init__(detail)
        self.reason = reason
        self.ids = ids
        self.producer = producer


def parse_message(
    payload: object, keys: SigningKeys | None = None, *, require_signature: bool = False
) -> ParsedMessage:
    """Read a message, picture by picture: one bad picture does not spoil its neighbours.

    Args:
        payload: the task's only argument.
        keys: those that signatures are checked with; empty: no signature is checked.
        require_signature: whether a message without a signature is refused.

    Raises:
        UnreadableMessageError: the envelope is malformed, of another version, or its signature is
            not good. It carries the picture ids and producer that could still be made out, so that
            nobody waits for ever; none where the signature is not good, or whoever may push could
            settle the pictures of others.
    """
    if not isinstance(payload, Mapping):
        raise _unreadable(Reason.UNREADABLE_MESSAGE, "the message is not a JSON object", {})
    # First of all: nothing of what nobody vouches for is stored or answered, so what it says of
    # ids and producers is not even looked at.
    untrusted = keys.problem(payload, required=require_signature) if keys else None
    if untrusted:
        raise UnreadableMessageError(Reason.BAD_SIGNATURE, untrusted, (), None)
    version = payload.get("version")
    # Only numbers are compared: a decimal that is no number would raise.
    if type(version) not in (int, float) or version != VERSION:
        detail = f"version {version!r:.40} is not understood; this worker reads version {VERSION}"
        raise _unreadable(Reason.UNSUPPORTED_VERSION, detail, payload)
    images = payload.get("images")
    if not isinstance(images, list) or not 1 <= len(images) <= MAX_IMAGES:
        detail = f"images must be a list of 1 to {MAX_IMAGES}"
        raise _unreadable(Reason.UNREADABLE_MESSAGE, detail, payload)
    try:
        fields, rest = split(Envelope, {k: v for k, v in payload.items() if k != "images"})
        envelope = Envelope.model_validate(fields)
    except ValueError as error:
        raise _unreadable(Reason.UNREADABLE_MESSAGE, _explain(error), payload) from None
    return _parse_images(envelope, images, rest)


def _parse_images(
    envelope: Envelope, images: list[Any], beside: Mapping[str, Any]
) -> ParsedMessage:
    accepted: dict[UUID, ImageRef] = {}
    unknown: dict[UUID, Unknown] = {}
    refused = []
    for fields in images:
        try:
            known, rest = split(ImageRef, fields)
            image = ImageRef.model_validate(known)
        except ValueError as error:
            refused.append(Refusal(_id_of(fields), _explain(error), fields))
            continue
        if image.id in accepted:
            continue  # the same id twice in a message is one picture
        accepted[image.id] = image
        if rest or beside:
            unknown[image.id] = Unknown(rest, beside)
    return ParsedMessage(envelope, tuple(accepted.values()), tuple(refused), unknown)


def _unreadable(reason: Reason, detail: str, payload: Mapping[Any, Any]) -> UnreadableMessageError:
    images = payload.get("images")
    found = [_id_of(fields) for fields in images] if isinstance(images, list) else []
    producer = payload.get("producer")
    return UnreadableMessageError(
        reason,
        detail,
        tuple(dict.fromkeys(i for i in found if i is not None)),
        producer if isinstance(producer, str) and re.fullmatch(_PRODUCER_ID, producer) else None,
    )


def _id_of(fields: object) -> UUID | None:
    if not isinstance(fields, Mapping):
        return None
    try:
        return UUID(str(fields.get("id")))
    except ValueError:
        return None


def _explain(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        f"{'.'.join(map(str, problem['loc']))[:_MAX_SAID]}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)[:5]
    )

"""`linewatch.inspect`, version 1: one to 64 pictures of one product from one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from linewatch.errors import LinewatchError
from producer.contract.signing import Signature, SigningKeys
from producer.contract.vocabulary import Reason

TASK = "linewatch.inspect"
QUEUE = "inspect"
VERSION: Final = 1
MAX_IMAGES = 64


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must hold no control characters")
    return value


Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64, strip_whitespace=True),
    AfterValidator(_printable),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_printable)]
_PRODUCER_ID = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"
ProducerId = Annotated[str, StringConstraints(pattern=_PRODUCER_ID)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ImageRef(BaseModel):
    """One picture: where it lies and which part it shows. `id` makes a second delivery harmless."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: UUID = Field(description="Unique for ever; UUIDv7 keeps the database in order of time.")
    uri: Annotated[str, StringConstraints(min_length=1, max_length=4096)] = Field(
        description="An absolute path or file:// URI, as the worker sees it."
    )
    camera: Name
    captured_at: AwareDatetime
    part: Text | None = Field(default=None, description="The part's serial number.")
    lot: Text | None = None
    sha256: Sha256 | None = Field(default=None, description="If given, the file must match it.")
    attempt: int = Field(default=1, ge=1, description="How often the producer has sent it.")


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
    """A readable message: its pictures, and those whose fields were refused."""

    envelope: Envelope
    images: tuple[ImageRef, ...]
    refusals: tuple[Refusal, ...]


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
            nobody waits for ever.
    """
    if not isinstance(payload, Mapping):
        raise _unreadable(Reason.UNREADABLE_MESSAGE, "the message is not a JSON object", {})
    version = payload.get("version")
    # Only numbers are compared: a decimal that is no number would raise.
    if type(version) not in (int, float) or version != VERSION:
        detail = f"version {version!r:.40} is not understood; this worker reads version {VERSION}"
        raise _unreadable(Reason.UNSUPPORTED_VERSION, detail, payload)
    untrusted = keys.problem(payload, required=require_signature) if keys else None
    if untrusted:
        raise _unreadable(Reason.BAD_SIGNATURE, untrusted, payload)
    images = payload.get("images")
    if not isinstance(images, list) or not 1 <= len(images) <= MAX_IMAGES:
        detail = f"images must be a list of 1 to {MAX_IMAGES}"
        raise _unreadable(Reason.UNREADABLE_MESSAGE, detail, payload)
    try:
        envelope = Envelope.model_validate({k: v for k, v in payload.items() if k != "images"})
    except ValidationError as error:
        raise _unreadable(Reason.UNREADABLE_MESSAGE, _explain(error), payload) from None
    return _parse_images(envelope, images)


def _parse_images(envelope: Envelope, images: list[Any]) -> ParsedMessage:
    accepted: dict[UUID, ImageRef] = {}
    refused = []
    for fields in images:
        try:
            image = ImageRef.model_validate(fields)
        except ValidationError as error:
            refused.append(Refusal(_id_of(fields), _explain(error), fields))
        else:
            accepted.setdefault(image.id, image)  # the same id twice in a message is one picture
    return ParsedMessage(envelope, tuple(accepted.values()), tuple(refused))


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


def _explain(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()[:5]
    )

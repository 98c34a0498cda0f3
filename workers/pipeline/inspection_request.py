"""One picture on its way through the worker, from the message that asks for it to its row."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from db.inspections.records import InspectionRecord, Outcome
from producer.contract import ImageRef, Reason, SigningKeys, Unknown, Verdict
from producer.contract.message import Envelope
from producer.contract.unknown import explained, joined
from quality.drift.optics import Optics
from workers.pipeline.reply import Reply

if TYPE_CHECKING:  # the training worker loads no torch
    import torch

    from vision.extractor import FeatureExtractor
    from workers.serving.resident_model import ResidentModel

_NO_KEYS = SigningKeys()


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPicture:
    """A decoded picture, ready for both encoders in the space of its product's champion.

    Attributes:
        pixels: uint8 `[3, 224, 224]`, or `[w, 3, 224, 224]` where it is seen in tiles.
        sha256: of its file.
        space: what they were prepared for.
        flaw: what its decoder said against the file; then a person looks, whatever a model says.
        model: the champion then. It judges the picture if the one that came since judges another
            space.
        shadow_pixels, shadow_space: likewise for a shadow of another space; None: there is none.
        size: width and height of the picture, in pixels, where they are known.
        optics: its light and focus, measured on `pixels`.
    """

    pixels: torch.Tensor
    sha256: str
    space: FeatureExtractor
    flaw: str | None = None
    model: ResidentModel | None = None
    shadow_pixels: torch.Tensor | None = None
    shadow_space: FeatureExtractor | None = None
    size: tuple[int, int] | None = None
    optics: Optics | None = None


@dataclass(slots=True, eq=False)
class InspectionRequest:
    """A picture that a message asks to inspect.

    The same object goes from stage to stage, which fill in what is not known at first: a wrapper a
    stage would be three objects more for each picture. One thread at a time has it.

    Attributes:
        image, envelope: what the message says of it.
        worker: this worker's name.
        unknown: what else the message says of it.
        keys: those that its message was checked with.
        reply: who waits for it, since the pipeline was asked.
        begun: when that was, by the monotonic clock.
        picture: from its decoding until it is judged, or has failed: pixels must not stay longer.
        decoded_at: by `perf_counter`.
        row: from when it is judged or rejected until it is committed.
    """

    image: ImageRef
    envelope: Envelope
    worker: str
    unknown: Unknown = field(default_factory=Unknown)
    keys: SigningKeys = _NO_KEYS
    reply: Reply = field(init=False, repr=False)
    begun: float = field(init=False, repr=False)
    picture: PreparedPicture | None = field(init=False, repr=False, default=None)
    decoded_at: float = field(init=False, repr=False)
    row: InspectionRecord = field(init=False, repr=False)

    @property
    def id(self) -> UUID:
        """The picture's id."""
        return self.image.id

    @property
    def producer(self) -> str | None:
        """Who is sent a receipt."""
        return self.envelope.producer

    @property
    def prepared(self) -> PreparedPicture:
        """The decoded picture.

        Raises:
            ValueError: it is not decoded yet, or has ended.
        """
        if self.picture is None:
            raise ValueError(f"picture {self.id} is not decoded, or its pixels are gone")
        return self.picture

    def judged(self, row: InspectionRecord) -> None:
        """This is its row."""
        self.row = row
        self.picture = None

    def settle(self, outcome: Outcome) -> None:
        """Its outcome is committed: tell who waits for it."""
        del self.row  # the message may have thousands of pictures, and keeps their requests
        self.reply.settle(self.image.id, outcome)

    def fail(self, error: BaseException) -> None:
        """It has no outcome, and its message must go back: tell who waits for it."""
        self.picture = None
        self.reply.fail(self.image.id, error)

    def record(self, verdict: Verdict, **fields: Any) -> InspectionRecord:
        """The row for this picture with `verdict`; `fields` fill the columns named.

        A pass becomes a review where the message says something that this worker does not know.
        """
        image, envelope = self.image, self.envelope
        if self.unknown:
            if verdict is Verdict.PASS:
                verdict, fields["reason"] = Verdict.REVIEW, Reason.UNKNOWN_FIELDS
            fields.setdefault("detail", explained(self.unknown, (ImageRef, Envelope)))
        seen = image.seen
        if seen is not None and seen.sha256 == fields.get("image_sha256"):
            seen = None  # the row says as much
        return InspectionRecord(
            id=image.id,
            product=envelope.product,
            line=envelope.line,
            camera=image.camera,
            part=image.part,
            lot=image.lot,
            image_uri=image.uri,
            captured_at=image.captured_at,
            enqueued_at=envelope.enqueued_at,
            decided_at=datetime.now(UTC),
            verdict=verdict,
            attempt=image.attempt,
            worker=self.worker,
            seen=None if seen is None else seen.model_dump(exclude_defaults=True),
            pass_number=image.pass_number,
            views=image.views,
            work_order=image.work_order,
            purpose=None if image.purpose is None else str(image.purpose),
            site=envelope.site,
            trace_id=image.trace_id,
            **fields,
        )

    def message(self) -> dict[str, object]:
        """The message that asks for this one picture, with what is not known of it, as JSON.

        The signature was for the whole message. Where that was checked and good, this part of it is
        signed anew, so that it can be told later from what nobody signed.
        """
        image = self.image.model_dump(mode="json", exclude_none=True)
        rest = self.envelope.model_dump(mode="json", exclude_none=True, exclude={"signature"})
        beside = {k: v for k, v in self.unknown.envelope.items() if k != "signature"}
        message = {**joined(rest, beside), "images": [joined(image, self.unknown.image)]}
        return message if self.envelope.signature is None else self.keys.sign(message)

    def rejected(self, reason: Reason, detail: str, **fields: Any) -> InspectionRecord:
        """The row for this picture when its file cannot be judged."""
        return self.record(Verdict.REJECTED, reason=reason, detail=detail, **fields)

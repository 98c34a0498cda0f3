"""File to prepared picture, or the row that says why not."""

from __future__ import annotations

import logging

from db.inspections.records import InspectionRecord
from linewatch.products import ImageSize, ProductSpec
from producer.contract import Reason
from quality.drift.optics import optics_of
from vision.decode import digest
from vision.errors import Unjudgeable
from vision.extractor import Prepared
from vision.pictures import Pictures
from workers.pipeline.file_reads import FileReads
from workers.pipeline.inspection_request import InspectionRequest, PreparedPicture
from workers.serving.residency import Residency
from workers.serving.serving import Serving

log = logging.getLogger(__name__)

# What a file looks like that is still being written.
_UNFINISHED = (Reason.CORRUPT, Reason.EMPTY, Reason.NOT_AN_IMAGE, Reason.HASH_MISMATCH)
_QUIET_S = 1.0  # without a change: then nobody writes it any more
_MOST_ADVISED = 10_000


class PictureReader:
    """Reads, checks and decodes pictures. Safe to call from many threads.

    Args:
        residency: knows the products, the sizes of their pictures and how those are to be seen.
        pictures: where they are read from.
    """

    def __init__(self, residency: Residency, pictures: Pictures) -> None:
        self._residency = residency
        self._pictures = pictures
        self._advised: set[tuple[str, str | None]] = set()  # line, camera
        self.reads = FileReads()

    def read(self, request: InspectionRequest) -> PreparedPicture | InspectionRecord:
        """Prepare the picture, or return the `rejected` row with its reason.

        A path of a Windows PC becomes that of this machine, in the row as well: a purge, a label
        and a second look find the file by it.
        """
        here = self._pictures.local(request.image.uri)
        if here != request.image.uri:
            request.image = request.image.model_copy(update={"uri": here})
        product = self._residency.product(request.envelope.product)
        serving = self._residency.serving(request.envelope.product)
        if product is None or serving is None:
            detail = self._residency.product_problem(request.envelope.product) or (
                f"no product is called {request.envelope.product!r}; "
                "register it with `linewatch products register FILE`"
            )
            return request.rejected(Reason.UNKNOWN_PRODUCT, detail)
        return self._read(request, product, serving)

    def may_be_unfinished(self, request: InspectionRequest, rejected: InspectionRecord) -> bool:
        """Whether a rejected picture's file may still be being written: it changed a moment ago."""
        if rejected.reason not in _UNFINISHED:
            return False
        with self.reads.one():
            return self._pictures.quiet_for_s(request.image.uri) < _QUIET_S

    def _read(
        self, request: InspectionRequest, product: ProductSpec, serving: Serving
    ) -> PreparedPicture | InspectionRecord:
        sha256: str | None = None
        try:
            with self.reads.one():
                file = self._pictures.read(request.image.uri)
            data = file.data
            found, seen = digest(data), request.image.seen
            change = None if seen is None else seen.difference(data, file.mtime_ns, found)
            if change is not None:  # its hash would be another part's in this one's row
                raise Unjudgeable(Reason.CHANGED, f"the file is not the one meant: {change}")
            sha256 = found
            if request.image.sha256 not in (None, sha256):
                raise Unjudgeable(Reason.HASH_MISMATCH, f"the file's SHA-256 is {sha256}")
            bits = product.bits_of(request.image.camera)
            prepared, beside = _prepared(serving, data, product.image_size, bits)
        except Unjudgeable as error:
            return request.rejected(error.reason, error.detail, image_sha256=sha256)
        self._advise(request, prepared)
        return PreparedPicture(
            prepared.pixels,
            sha256,
            serving.space,
            prepared.flaw,
            serving.model,
            None if beside is None else beside.pixels,
            None if serving.shadow is None else serving.shadow.space,
            (prepared.width, prepared.height),
            optics_of(prepared.pixels.numpy()),
        )

    def _advise(self, request: InspectionRequest, prepared: Prepared) -> None:
        """Say once what is likely to be set wrong for a camera; the verdict stays."""
        camera = (request.envelope.line, request.image.camera)
        if prepared.advice is None or camera in self._advised:
            return
        if len(self._advised) < _MOST_ADVISED:
            self._advised.add(camera)
            log.warning("line %s, camera %s: %s", *camera, prepared.advice)


def _prepared(
    serving: Serving, data: bytes, size: ImageSize | None, bits: int | None
) -> tuple[Prepared, Prepared | None]:
    """The picture for its champion and, where that looks at it in another way, for the shadow."""
    space, shadow = serving.space, serving.shadow
    if shadow is not None and shadow.space is not None and shadow.space is not space:
        try:
            both = space.prepare_for((space, shadow.space), data, size, bits=bits)
            return both[0], both[1]
        except Unjudgeable:  # perhaps of what only the shadow looks at, and that has no say
            pass
    return space.prepare(data, size, bits=bits), None

"""File to prepared picture, or the row that says why not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from db.records import InspectionRecord
from producer.contract import Reason
from vision.decode import digest
from vision.errors import Unjudgeable
from vision.extractor import FeatureExtractor
from vision.source import read_picture
from workers.reads import Reads
from workers.residency import Residency
from workers.work import PreparedPicture, Work


class PictureReader:
    """Reads, checks and decodes pictures. Safe to call from many threads.

    Args:
        extractor: knows the pixels that the encoders want.
        residency: knows the products and the sizes of their pictures.
        roots: the folders that pictures may lie in.
        max_bytes: the largest file that is read.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        residency: Residency,
        *,
        roots: Sequence[Path],
        max_bytes: int,
    ) -> None:
        self._extractor = extractor
        self._residency = residency
        self._roots = tuple(roots)
        self._max_bytes = max_bytes
        self.reads = Reads()

    def read(self, work: Work) -> PreparedPicture | InspectionRecord:
        """Prepare the picture, or return the `rejected` row with its reason."""
        product = self._residency.product(work.envelope.product)
        if product is None:
            detail = (
                f"no product is called {work.envelope.product!r}; "
                "register it with `linewatch products register FILE`"
            )
            return work.rejected(Reason.UNKNOWN_PRODUCT, detail)
        sha256: str | None = None
        try:
            with self.reads.one():
                data = read_picture(work.image.uri, roots=self._roots, max_bytes=self._max_bytes)
            sha256 = digest(data)
            if work.image.sha256 not in (None, sha256):
                raise Unjudgeable(Reason.HASH_MISMATCH, f"the file's SHA-256 is {sha256}")
            prepared = self._extractor.prepare(data, product.image_size)
        except Unjudgeable as error:
            return work.rejected(error.reason, error.detail, image_sha256=sha256)
        return PreparedPicture(work, prepared.pixels, sha256)

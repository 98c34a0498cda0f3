"""Where a TIFF's pixels lie, and whether they are all there.

libtiff says nothing, or prints a line, where coded data end early, and Pillow draws what there is.
So each strip's own checks are made here: the checksum of deflate, libjpeg's warnings, and what the
other codings can never contain.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from vision.headers import jpeg
from vision.headers.directory import Directory
from vision.headers.header import corrupt, long_zeros, not_read, too_large
from vision.headers.lost_rows import lost_rows

_STRIP_OFFSETS, _ROWS, _STRIP_BYTES = 273, 278, 279
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES = 322, 323, 324, 325
_PLANAR, _TABLES = 284, 347
_NONE, _LZW, _JPEG, _PACKBITS, DEFLATES = 1, 5, 7, 32773, (8, 32946)
# LZW has a code for two zeros, PackBits one for many, and of CCITT's codes none has many zero bits:
# they never write so many zero bytes.
_CODED = (2, 3, 4, _LZW, _PACKBITS)
_ZEROS = 64
_MOST_STRIPS = 100_000
_TILE_PIXELS = 4096**2  # a tile may be larger than its picture, but not without end
_SPARE = 1 << 16  # bytes
_BEYOND = 1 << 23  # bytes: what damage unpacks to, and a bomb exceeds


@dataclass(frozen=True, slots=True)
class Strips:
    """The strips or tiles of one page.

    Args:
        offsets, counts: of each, in bytes.
        sizes: what each holds once it is decoded, in bytes.
        row_bytes: of a strip's row, decoded.
        pixel_bytes: of a pixel in a strip, decoded; 0: less than one.
        tables: of a JPEG's strips.
        tiled: whether these are tiles.
        planes: 1, or one a sample.
    """

    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    sizes: tuple[int, ...]
    row_bytes: int
    pixel_bytes: int
    compression: int
    tables: bytes
    tiled: bool
    planes: int

    @classmethod
    def of(
        cls, tags: Directory, *, width: int, height: int, bits: int, samples: int, compression: int
    ) -> Strips:
        """Read them from the directory.

        Raises:
            Unjudgeable: corrupt, for fewer strips than the picture needs; too_large, for too many.
        """
        planes = samples if tags.number(_PLANAR, 1) == 2 else 1
        tiled = _TILE_OFFSETS in tags
        offsets = tags.numbers(_TILE_OFFSETS if tiled else _STRIP_OFFSETS)
        counts = tags.numbers(_TILE_BYTES if tiled else _STRIP_BYTES)
        across, down = width, tags.number(_ROWS, height) or height
        if tiled:
            across, down = tags.number(_TILE_WIDTH, 0), tags.number(_TILE_HEIGHT, 0)
            if not across or not down or across % 16 or down % 16:
                raise corrupt(f"the TIFF's tiles of {across}×{down} pixels are damaged")
            if across * down > max(_TILE_PIXELS, 2 * width * height):
                raise too_large(f"a TIFF with tiles of {across}×{down} pixels")
        down = down if tiled else min(down, height)
        wanted = -(-width // across) * -(-height // down) * planes
        if len(offsets) > _MOST_STRIPS or wanted > _MOST_STRIPS:
            raise too_large(f"a TIFF of {max(len(offsets), wanted)} strips or tiles")
        if len(offsets) < wanted:
            detail = f"the TIFF has {len(offsets)} strips or tiles; its picture needs {wanted}"
            raise corrupt(detail)
        offsets = offsets[:wanted]
        row = (across * bits * samples // planes + 7) // 8
        rows = [down] * wanted
        if not tiled and height % down:  # the last strip of each plane is shorter
            for last in range(wanted // planes - 1, wanted, wanted // planes):
                rows[last] = height % down
        sizes = tuple(row * count for count in rows)
        if not counts and compression == _NONE:
            counts = sizes
        if len(counts) < wanted:
            raise corrupt(f"the TIFF says the size of {len(counts)} of {wanted} strips or tiles")
        return cls(
            offsets=offsets,
            counts=counts[:wanted],
            sizes=sizes,
            row_bytes=row,
            pixel_bytes=bits * samples // planes // 8,
            compression=compression,
            tables=tags.raw(_TABLES),
            tiled=tiled,
            planes=planes,
        )

    def check(self, data: bytes, *, inflate: bool) -> str | None:
        """See whether each is there and whole; returns what the decoder of one says against it.

        Args:
            data: the file.
            inflate: whether deflated ones are unpacked for the sake of their checksums.

        Raises:
            Unjudgeable: corrupt.
        """
        flaw: str | None = None
        largest = max(self.sizes)
        for offset, count, size in zip(self.offsets, self.counts, self.sizes, strict=True):
            if offset + count > len(data):
                raise corrupt(
                    f"{offset + count - len(data)} bytes of the TIFF's pixels are cut off"
                )
            if self.compression == _NONE:
                if count < size:
                    raise corrupt(f"a strip of the TIFF has {count} of its {size} bytes")
            elif self.compression == _JPEG:
                flaw = flaw or self._check_jpeg(data[offset : offset + count], largest)
            elif self.compression in DEFLATES:
                if inflate:
                    inflated(memoryview(data)[offset : offset + count], size, largest)
            elif self.compression in _CODED:
                flaw = flaw or long_zeros(data[offset : offset + count], _ZEROS)
        if self.compression == _NONE and self.pixel_bytes:  # else see `vision.headers.bmp`
            flaw = next(filter(None, (self._lost(data, *piece) for piece in self._pieces())), None)
        return flaw

    def _pieces(self) -> Iterator[tuple[int, int]]:
        """Strips that lie behind each other in the file are one piece: from where to where."""
        start = end = self.offsets[0]
        for offset, size in zip(self.offsets, self.sizes, strict=True):
            if offset != end:
                yield start, end
                start = offset
            end = offset + size
        yield start, end

    def _lost(self, data: bytes, start: int, end: int) -> str | None:
        return lost_rows(data, start, end, self.row_bytes, self.pixel_bytes)

    def samples(self, data: bytes) -> bytes:
        """The bytes of a picture of one plane, uncompressed or deflated, its strips joined.

        Raises:
            Unjudgeable: corrupt or too_large, of deflated ones.
        """
        view = memoryview(data)
        pieces: list[memoryview] = []
        largest = max(self.sizes)
        for offset, count, size in zip(self.offsets, self.counts, self.sizes, strict=True):
            strip = view[offset : offset + count]
            if self.compression in DEFLATES:
                strip = memoryview(inflated(strip, size, largest))
            pieces.append(strip[:size])
        return b"".join(pieces)

    def _check_jpeg(self, strip: bytes, largest: int) -> str | None:
        whole = self.tables[:-2] + strip[2:] if len(self.tables) > 4 else strip
        header = jpeg.read(whole)
        if header.pixels * header.samples > 2 * largest:
            raise corrupt("a JPEG strip of the TIFF is larger than its picture")
        if not jpeg.is_one_scan(header):  # a budget of scans would be one a strip
            raise not_read("a TIFF whose JPEG strips have several scans")
        return jpeg.flaw(whole, header) or jpeg.check(whole, header)


def inflated(strip: memoryview, size: int, largest: int) -> bytes:
    """A deflated strip, its checksum compared, at which libtiff does not look.

    Args:
        strip: as it lies in the file.
        size: what it must hold, in bytes.
        largest: what the largest strip holds: some programs fill the last one up to that.

    Raises:
        Unjudgeable: corrupt; too_large, where it unpacks to far more than the largest strip holds.
    """
    inflate = zlib.decompressobj()
    try:
        found = inflate.decompress(strip, largest + _SPARE)
        if inflate.unconsumed_tail:  # damaged data may go on like this, a while
            more = inflate.decompress(inflate.unconsumed_tail, _BEYOND)
            if len(more) == _BEYOND:
                raise too_large("a deflated strip of the TIFF unpacks to far more than its picture")
            raise corrupt("a deflated strip of the TIFF unpacks to more than its picture")
    except zlib.error as error:
        raise corrupt(f"a deflated strip of the TIFF is damaged: {error}") from None
    if not inflate.eof or len(found) < size:
        raise corrupt("a deflated strip of the TIFF ends too early")
    return found

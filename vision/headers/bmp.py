"""BMP: OS/2 and Windows headers, and whether its rows are all there."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from vision.headers.header import Header, corrupt, long_zeros, not_read, too_large
from vision.headers.lost_rows import lost_rows

_RLE8, _RLE4 = 1, 2
_PLAIN = (0, 3, 6)  # RGB, masks, masks with alpha
_NAMES = {4: "BMP that holds a JPEG", 5: "BMP that holds a PNG"}
# Pillow unpacks runs in Python: about a microsecond each, and nobody else runs meanwhile.
MAX_RLE_BYTES = 2 * 1024**2
_END_OF_RUNS = b"\0\1"
_ZEROS = 64  # bytes, 32 empty rows: no encoder writes them so


@dataclass(frozen=True, slots=True)
class _Rows:
    at: int
    size: int  # bytes; 0: to the end of the file
    row_bytes: int  # 0: in runs
    pixel_bytes: int  # 0: less than one


def read(data: bytes) -> Header:
    """What the header says.

    Raises:
        Unjudgeable: corrupt; not_an_image, for a compression that is not read.
    """
    try:
        at, size = struct.unpack_from("<II", data, 10)
        if size == 12:
            width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
            compression = 0
        else:
            width, height, _, bits, compression, held = struct.unpack_from("<iiHHII", data, 18)
    except struct.error:
        raise corrupt("the BMP ends within its header") from None
    height = abs(height)  # negative: from the top down
    if width <= 0 or not height or bits not in (1, 2, 4, 8, 16, 24, 32):
        raise corrupt("begins like a BMP, but its header is damaged")
    if compression not in (*_PLAIN, _RLE8, _RLE4):
        name = _NAMES.get(compression, f"BMP of compression {compression}")
        raise not_read(name, advice="save as BMP without compression, or as PNG")
    rle = compression in (_RLE8, _RLE4)
    row_bytes = 0 if rle else (width * bits + 31) // 32 * 4
    return Header(
        format="BMP",
        width=width,
        height=height,
        pixel_bytes=8,
        kind=f"{bits}-bit {'run-length coded ' * rle}BMP",
        bits=8,
        samples=1 if bits <= 8 else 3,
        parts=_Rows(at, held if rle else row_bytes * height, row_bytes, bits // 8),
    )


def check(data: bytes, header: Header) -> str | None:
    """See whether all rows are there: by size, or by the mark that ends coded ones.

    Returns:
        what looks lost, or None.

    Raises:
        Unjudgeable: corrupt; too_large, for more runs than are unpacked in a moment.
    """
    rows = header.parts
    assert isinstance(rows, _Rows)
    missing = rows.at + rows.size - len(data)
    if missing > 0:
        raise corrupt(f"the BMP ends {missing} bytes before its last row")
    if rows.row_bytes:
        # In black and white a slanting edge looks like a loss.
        end = rows.at + rows.size
        if not rows.pixel_bytes:
            return None
        return lost_rows(data, rows.at, end, rows.row_bytes, rows.pixel_bytes)
    runs = data[rows.at : rows.at + rows.size if rows.size else None]
    if len(runs) > MAX_RLE_BYTES:
        detail = f"over {MAX_RLE_BYTES} bytes of runs in a BMP; save without compression"
        raise too_large(detail)
    if not runs.rstrip(b"\0").endswith(_END_OF_RUNS):
        raise corrupt("the BMP ends before the mark that ends its runs")
    return long_zeros(runs, _ZEROS)

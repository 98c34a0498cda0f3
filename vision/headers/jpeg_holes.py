"""Zeros within a JPEG's scans that no encoder wrote: a piece of the file that a disk or share lost.

Zero bits are valid Huffman codes, so libjpeg draws something from them, and often says nothing.
What they mean, the tables tell: the first code of each is all zeros. As a flat area they are
credible, block after block without a difference or coefficient; as anything else they are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vision.headers.header import long_zeros

_TEM, _DHT, _EOI, _SOS = 0x01, 0xC4, 0xD9, 0xDA
_FLAT = 0  # DC: no difference; AC: end of block

# Of a Huffman table, by class (0: DC, 1: AC) and id, the symbol whose code is all zeros.
_First = dict[tuple[int, int], int]


def hole(
    data: bytes, marker: re.Pattern[bytes], *, progressive: bool, one_scan: bool, most: int
) -> str | None:
    """What is odd about the file's scans, or None. The usual file is only searched for zeros.

    Args:
        data: the file; its segments were counted, up to the first scan or the end of the last.
        marker: finds a marker that ends a scan.
        progressive, one_scan: how the picture comes; what follows one scan is not looked at.
        most: zero bytes in a row that are no reason.
    """
    if bytes(most + 1) not in data:
        return None
    first: _First = {}
    at = 2
    while (found := marker.search(data, at)) and found[0][1] != _EOI:
        at = found.end()
        if found[0][1] == _TEM:
            continue
        size = int.from_bytes(data[at : at + 2], "big")
        body = data[at + 2 : at + size]
        at += max(2, size)
        if found[0][1] == _DHT:
            first.update(_first_symbols(body))
        elif found[0][1] == _SOS:
            end = marker.search(data, at)
            scan = data[at : end.start() if end else None]
            flaw = None
            if not _may_be_zeros(body, first, progressive=progressive):
                flaw = long_zeros(scan, most)
            if flaw is not None or one_scan:
                return flaw
    return None


def _first_symbols(body: bytes) -> _First:
    """Of the tables in a DHT segment (T.81, B.2.4.2)."""
    first: _First = {}
    at = 0
    while at + 18 <= len(body):
        first[body[at] >> 4, body[at] & 15] = body[at + 17]
        at += 17 + sum(body[at + 1 : at + 17])
    return first


def _may_be_zeros(scan: bytes, first: Mapping[tuple[int, int], int], *, progressive: bool) -> bool:
    """Whether zero bits are what an encoder writes for a flat area in this scan."""
    count = scan[0] if scan else 0
    if len(scan) < 4 + 2 * count:
        return True  # damaged in another way, of which others speak
    spectral, approximation = scan[1 + 2 * count], scan[3 + 2 * count]
    selectors = scan[2 : 1 + 2 * count : 2]
    if progressive and spectral > 0:
        return False  # flat blocks are counted, never coded one by one
    if progressive and approximation >> 4:
        return True  # a bit a block, without a table
    return all(
        first.get((0, each >> 4)) == _FLAT and (progressive or first.get((1, each & 15)) == _FLAT)
        for each in selectors
    )

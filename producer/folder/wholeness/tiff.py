"""TIFF and BigTIFF: every directory, and the strips or tiles that it names."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import BinaryIO

from producer.folder.wholeness.extent import Extent, UnfinishedError

_COMPRESSION, _OFFSETS, _COUNTS = 259, {273, 324}, {279, 325}  # strips and tiles
_FORMATS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # the types that counts may have
_MOST_DIRECTORIES = 10_000
_MOST_VALUES = 1_000_000


@dataclass(slots=True)
class _Directory:
    packed: bool = False
    offsets: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    next: int = 0


@dataclass(slots=True)
class _Tiff:
    reader: BinaryIO
    size: int
    order: str = "<"
    big: bool = False
    end: int = 8
    pixels: list[tuple[int, bool]] = field(default_factory=list)  # (end, packed)

    def read(self, at: int, length: int) -> bytes:
        """These bytes, which must lie within the file."""
        if at <= 0 or at + length > self.size:
            raise UnfinishedError(f"the TIFF goes on at byte {at} and has {self.size}")
        self.reader.seek(at)
        self.end = max(self.end, at + length)
        return self.reader.read(length)

    def number(self, at: int) -> int:
        """An offset: 4 bytes, in BigTIFF 8."""
        return int(
            struct.unpack(self.order + ("Q" if self.big else "I"), self.read(at, self.wide))[0]
        )

    @property
    def wide(self) -> int:
        """Bytes of an offset."""
        return 8 if self.big else 4


def tiff(reader: BinaryIO, size: int) -> Extent | None:
    """The last byte that a directory, strip or tile takes (TIFF 6.0, section 2)."""
    reader.seek(0)
    head = reader.read(4)
    file = _Tiff(reader, size, "<" if head[:2] == b"II" else ">")
    file.big = struct.unpack(file.order + "H", head[2:4])[0] == 43
    at = file.number(8 if file.big else 4)
    seen: set[int] = set()
    while (at or not seen) and at not in seen and len(seen) < _MOST_DIRECTORIES:
        seen.add(at)
        at = _directory(file, at)
    if not file.pixels:
        return None  # directories without strips: nothing to go by
    pixels_end, packed = max(file.pixels)
    if pixels_end > size:
        raise UnfinishedError(f"the TIFF has pixels up to byte {pixels_end} and has {size}")
    return Extent(max(file.end, pixels_end), pixels_end, packed)


def _directory(file: _Tiff, at: int) -> int:
    """Note the pixels of the directory at this byte; returns where the next one lies, or 0."""
    prefix, entry = (8, 20) if file.big else (2, 12)
    entries = int(struct.unpack(file.order + ("Q" if file.big else "H"), file.read(at, prefix))[0])
    if not entries:
        raise UnfinishedError(f"the TIFF holds zeros at byte {at}")
    table = file.read(at + prefix, entries * entry)
    found = _Directory()
    for start in range(0, len(table), entry):
        tag, kind = struct.unpack_from(file.order + "HH", table, start)
        where = at + prefix + start
        if tag == _COMPRESSION:
            found.packed = _values(file, where, kind) != (1,)
        elif tag in _OFFSETS:
            found.offsets = _values(file, where, kind)
        elif tag in _COUNTS:
            found.counts = _values(file, where, kind)
    ends = [offset + count for offset, count in zip(found.offsets, found.counts, strict=False)]
    if ends:
        file.pixels.append((max(ends), found.packed))
    return file.number(at + prefix + len(table))


def _values(file: _Tiff, entry: int, kind: int) -> tuple[int, ...]:
    """An entry's whole numbers, which lie in the entry where they fit."""
    form = _FORMATS.get(kind)
    count = file.number(entry + 4)
    if form is None or count > _MOST_VALUES:
        return ()
    layout = struct.Struct(f"{file.order}{count}{form}")
    value = entry + 4 + file.wide
    where = value if layout.size <= file.wide else file.number(value)
    return layout.unpack(file.read(where, layout.size))

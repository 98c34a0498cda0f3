"""TIFF's directories of tags, which EXIF uses as well.

Pillow copies the value of every tag, and nothing keeps a thousand tags from naming the same
megabyte: here sizes are added up first, and only the values asked for are read.
Layout: TIFF 6.0, section 2; BigTIFF as in libtiff.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from vision.headers.header import (
    EXIF_VALUE_BYTES,
    METADATA_BYTES,
    METADATA_PARTS,
    corrupt,
    too_large,
)

_TYPE_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_TYPE_BYTES |= {16: 8, 17: 8, 18: 8}
_NUMBERS = {1: "B", 3: "H", 4: "I", 16: "Q", 13: "I", 18: "Q"}


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: int
    count: int
    at: int  # of the value, in the file


class Directory:
    """One directory's tags.

    Args:
        data: the file, from its byte order mark on.
        most_bytes: what all values together may have.

    Raises:
        Unjudgeable: corrupt; too_large, for too many tags or too large values.
    """

    def __init__(self, data: bytes, most_bytes: int = METADATA_BYTES) -> None:
        self._data = data
        self.order = {b"II": "<", b"MM": ">"}.get(data[:2], "")
        if not self.order or len(data) < 8:
            raise corrupt("begins like a TIFF, but its header is damaged")
        self.big = data[2:4] in (b"\x2b\0", b"\0\x2b")
        try:
            self._entries = self._read()
        except struct.error:
            raise corrupt("the TIFF directory lies beyond the end of the file") from None
        self.value_bytes = sum(e.count * _TYPE_BYTES.get(e.kind, 1) for e in self._entries.values())
        # A value that is larger than the file is damage; the same bytes named often are an attack.
        held = sum(
            min(e.count * _TYPE_BYTES.get(e.kind, 1), len(data)) for e in self._entries.values()
        )
        if held > most_bytes:
            raise too_large(f"the values of its tags have over {most_bytes} bytes")

    def _read(self) -> dict[int, _Entry]:
        data, order = self._data, self.order
        if self.big:
            (at,) = struct.unpack_from(f"{order}Q", data, 8)
            (count,) = struct.unpack_from(f"{order}Q", data, at) if at < len(data) else (0,)
            first, entry = at + 8, struct.Struct(f"{order}HHQ8s")
        else:
            (at,) = struct.unpack_from(f"{order}I", data, 4)
            (count,) = struct.unpack_from(f"{order}H", data, at)
            first, entry = at + 2, struct.Struct(f"{order}HHI4s")
        if first + count * entry.size > len(data):
            raise struct.error
        if count > METADATA_PARTS:
            raise too_large(f"{count} tags in a directory; a picture has at most {METADATA_PARTS}")
        inline = entry.size - (12 if self.big else 8)
        address = "Q" if self.big else "I"
        entries = {}
        for n in range(count):
            place = first + n * entry.size
            tag, kind, values, raw = entry.unpack_from(data, place)
            if values * _TYPE_BYTES.get(kind, 1) <= inline:
                at = place + entry.size - inline
            else:
                (at,) = struct.unpack(order + address, raw)
            entries[tag] = _Entry(kind, values, at)
        return entries

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def numbers(self, tag: int) -> tuple[int, ...]:
        """The unsigned numbers of a tag; none where it is missing or holds something else.

        Raises:
            Unjudgeable: corrupt, where the file ends before them.
        """
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _NUMBERS:
            return ()
        try:
            return struct.unpack_from(
                f"{self.order}{entry.count}{_NUMBERS[entry.kind]}", self._data, entry.at
            )
        except (struct.error, OverflowError, MemoryError):
            raise corrupt(f"the values of TIFF tag {tag} lie beyond the end of the file") from None

    def number(self, tag: int, default: int) -> int:
        """A tag's first number."""
        return next(iter(self.numbers(tag)), default)

    def check_within(self, tag: int) -> None:
        """See whether the file holds all of a tag's value, where it has the tag.

        Raises:
            Unjudgeable: corrupt.
        """
        entry = self._entries.get(tag)
        if entry is None:
            return
        missing = entry.at + entry.count * _TYPE_BYTES.get(entry.kind, 1) - len(self._data)
        if missing > 0:
            raise corrupt(f"the file ends {missing} bytes before the end of TIFF tag {tag}")

    def raw(self, tag: int) -> bytes:
        """A tag's value as bytes; empty where it is missing."""
        entry = self._entries.get(tag)
        if entry is None:
            return b""
        return self._data[entry.at : entry.at + entry.count * _TYPE_BYTES.get(entry.kind, 1)]


def check_exif(exif: bytes) -> None:
    """Refuse EXIF whose values would fill the memory. A broken one is not looked at by anybody.

    Args:
        exif: from its byte order mark on.

    Raises:
        Unjudgeable: too_large.
    """
    if exif[:2] not in (b"II", b"MM") or len(exif) < 8:
        return
    order = "<" if exif[:2] == b"II" else ">"
    (at,) = struct.unpack_from(f"{order}I", exif, 4)
    total = 0
    if at + 2 > len(exif):
        return
    (count,) = struct.unpack_from(f"{order}H", exif, at)
    body = exif[at + 2 : at + 2 + 12 * count]
    for _, kind, values, _ in struct.iter_unpack(f"{order}HHII", body[: len(body) // 12 * 12]):
        total += min(values * _TYPE_BYTES.get(kind, 0), len(exif))
        if total > EXIF_VALUE_BYTES:
            raise too_large(f"the values of its EXIF have over {EXIF_VALUE_BYTES} bytes")

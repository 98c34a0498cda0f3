"""Where a picture's bytes end, as its own format says."""

from __future__ import annotations

from dataclasses import dataclass


class UnfinishedError(Exception):
    """The format says that bytes are missing; the message says which."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How many bytes a picture takes.

    Args:
        end: the first byte behind the picture; what follows is a vendor's own.
        pixels_end: the first byte behind the pixels, where no end marker proves that they are
            there: zeros before it may be room that is not written yet.
        packed: the pixels are compressed, so they do not end in many zeros.
    """

    end: int
    pixels_end: int | None = None
    packed: bool = True

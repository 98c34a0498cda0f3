"""Which format a file is of, and that format's `read` and `check`."""

from __future__ import annotations

from types import ModuleType

from producer.contract import Reason
from vision.errors import Unjudgeable
from vision.headers import bmp, jpeg, png, tiff, webp
from vision.headers.header import Header, corrupt

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
_MODULES: dict[str, ModuleType] = {
    "PNG": png,
    "JPEG": jpeg,
    "BMP": bmp,
    "TIFF": tiff,
    "WEBP": webp,
}
_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
}


def read(data: bytes) -> Header:
    """Read a picture's header; no pixel is decoded, nothing large is allocated.

    Raises:
        Unjudgeable: not_an_image, corrupt or too_large.
    """
    header: Header = _MODULES[_format(data)].read(data)
    return header


def check(data: bytes, header: Header) -> str | None:
    """Look for what is missing from the file, and for more work than a picture may be.

    Returns:
        what is odd enough for a person to look, or None.

    Raises:
        Unjudgeable: corrupt or too_large.
    """
    flaw: str | None = _MODULES[header.format].check(data, header)
    return flaw


def _format(data: bytes) -> str:
    for signature, name in _SIGNATURES.items():
        if data.startswith(signature):
            return name
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    # RIFF holds sound and film as well; a file cut before its kind may have been WebP.
    if data[:4] == b"RIFF" and b"WEBP".startswith(data[8:12]):
        raise corrupt("begins like an image, but ends within its header")
    raise Unjudgeable(Reason.NOT_AN_IMAGE, f"not one of {', '.join(FORMATS)}")

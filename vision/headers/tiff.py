"""TIFF: which kind of picture, and whether its strips are all there (TIFF 6.0)."""

from __future__ import annotations

from dataclasses import dataclass

from vision.headers.directory import Directory
from vision.headers.header import Header, corrupt, not_read
from vision.headers.tiff_strips import DEFLATES, Strips

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES = 256, 257, 258, 259, 262, 277
_ORIENTATION, _EXTRA, _FORMAT, _MAX_SAMPLE, _S_MAX_SAMPLE = 274, 338, 339, 281, 341
_COLOUR_MAP, _PREDICTOR, _TILE_OFFSETS, _DIFFERENCES, _PREMULTIPLIED = 320, 317, 324, 2, 1
WHITE_IS_ZERO = 0
_PHOTOMETRICS = {0: "grey", 1: "grey", 2: "RGB", 3: "palette", 5: "CMYK", 6: "YCbCr", 8: "Lab"}
_NO_PIXELS = {
    4: "transparency mask",
    32803: "Bayer mosaic (CFA)",
    34892: "linear raw",
    32844: "LogL",
    32845: "LogLuv",
}
_FORMATS = {2: "signed integer", 3: "float", 5: "complex integer", 6: "complex float"}
NONE, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACKBITS = 1, 5, 7, 8, 32946, 32773
_COMPRESSIONS = {
    NONE: "uncompressed", 2: "CCITT", 3: "CCITT group 3", 4: "CCITT group 4", LZW: "LZW",
    6: "old-style JPEG", JPEG: "JPEG", DEFLATE: "deflate", OLD_DEFLATE: "deflate",
    PACKBITS: "PackBits", 34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA", 50000: "Zstandard",
    50001: "WebP",
}  # fmt: skip
# Damage in any other is not noticed, or the library is not built with it everywhere.
_READ_COMPRESSIONS = (NONE, 2, 3, 4, LZW, JPEG, DEFLATE, OLD_DEFLATE, PACKBITS)
_MOST_SAMPLES = 8  # Pillow opens no picture of more than CMYK and three beside it
_PACKED = (10, 12, 14)  # bits of a sample that are packed without gaps
_SAVE_UNSIGNED = "export 8 or 16 bits, unsigned"


@dataclass(frozen=True, slots=True)
class TiffParts:
    """What more there is to know of a TIFF.

    Args:
        packed: whether samples of 10, 12 or 14 bits follow each other without gaps.
        plain: whether the strips' own bytes are grey or RGB, pixel by pixel.
        predicted: whether each sample is stored as the difference to its neighbour's.
        deflated: whether the strips must be unpacked first.
        unopened: whether Pillow knows no such file, a BigTIFF with the most significant byte first.
        premultiplied: whether colours were multiplied by their opacity.
        order: of its bytes, as in `struct`.
        orientation: as in EXIF.
        strips: where the pixels are.
    """

    packed: bool
    plain: bool
    predicted: bool
    deflated: bool
    unopened: bool
    premultiplied: bool
    order: str
    orientation: int
    strips: Strips


def read(data: bytes) -> Header:
    """What the first page's directory says.

    Raises:
        Unjudgeable: corrupt; not_an_image, for a kind that is not read, with its name; too_large.
    """
    tags = Directory(data)
    tags.check_within(_COLOUR_MAP)
    width, height = tags.number(_WIDTH, 0), tags.number(_HEIGHT, 0)
    samples = tags.number(_SAMPLES, 1)
    depths = tags.numbers(_BITS) or (1,)
    if not width or not height or not samples or not depths[0]:
        raise corrupt("the TIFF does not say how large its picture is")
    bits, compression = depths[0], tags.number(_COMPRESSION, NONE)
    photometric = tags.number(_PHOTOMETRIC, 1)
    kind = _kind(tags, bits, photometric, compression)
    _check_kind(tags, kind, depths, samples, photometric, compression)
    strips = Strips.of(
        tags, width=width, height=height, bits=bits, samples=samples, compression=compression
    )
    predictor = tags.number(_PREDICTOR, 1) if compression in DEFLATES else 1
    plain = _is_plain(strips, bits, samples, photometric, predictor)
    unopened = tags.big and tags.order == ">"
    if unopened and not plain:
        advice = "save as TIFF, as little-endian BigTIFF, or grey or RGB in strips without coding"
        raise not_read(f"big-endian BigTIFF, {kind}", advice=advice)
    grey, orientation = samples == 1, tags.number(_ORIENTATION, 1)
    sample_bytes = -(-samples * bits // 8)
    return Header(
        format="TIFF",
        width=width,
        height=height,
        # Pillow's, RGB, and a strip, which may be all of it; to turn it, Pillow makes a copy.
        pixel_bytes=(6 if grey else 8) + sample_bytes + (0 if orientation == 1 else 4),
        tile_bytes=max(0, max(strips.sizes) - width * height * sample_bytes),
        kind=kind,
        bits=bits,
        samples=samples,
        white_is_zero=photometric == WHITE_IS_ZERO and grey,
        significant_bits=_significant_bits(tags, bits),
        parts=TiffParts(
            packed=bits in _PACKED,
            plain=plain,
            predicted=predictor == _DIFFERENCES,
            deflated=compression in DEFLATES,
            unopened=unopened,
            premultiplied=_PREMULTIPLIED in tags.numbers(_EXTRA),
            order=tags.order,
            orientation=orientation,
            strips=strips,
        ),
    )


def check(data: bytes, header: Header) -> str | None:
    """See whether every strip is there and whole.

    Returns:
        what the decoder of a strip said against it, or None.

    Raises:
        Unjudgeable: corrupt.
    """
    parts = header.parts
    assert isinstance(parts, TiffParts)
    return parts.strips.check(data, inflate=not parts.plain)


def _kind(tags: Directory, bits: int, photometric: int, compression: int) -> str:
    form = _FORMATS.get(tags.number(_FORMAT, 1))
    colours = _PHOTOMETRICS.get(photometric) or _NO_PIXELS.get(
        photometric, f"photometric {photometric}"
    )
    coding = _COMPRESSIONS.get(compression, f"compression {compression}")
    return " ".join(word for word in (f"{bits}-bit", form, colours, "TIFF,", coding) if word)


def _check_kind(
    tags: Directory,
    kind: str,
    depths: tuple[int, ...],
    samples: int,
    photometric: int,
    compression: int,
) -> None:
    """Name what is not read, instead of finding its header damaged."""
    if photometric in _NO_PIXELS:
        advice = "let the camera convert it to 8- or 16-bit grey, or 8-bit RGB"
        raise not_read(kind, advice=advice)
    if photometric not in _PHOTOMETRICS:
        raise not_read(kind)
    if samples > _MOST_SAMPLES:
        raise not_read(f"TIFF of {samples} channels")
    form, bits = tags.number(_FORMAT, 1), depths[0]
    if form in _FORMATS or bits > 16:
        raise not_read(kind, ": nothing says which value is white", _SAVE_UNSIGNED)
    if compression not in _READ_COMPRESSIONS:
        raise not_read(kind, advice="save uncompressed, or with LZW or deflate")
    if len(set(depths)) > 1:
        raise not_read(f"TIFF with samples of {depths} bits")
    plain = compression == NONE or compression in DEFLATES
    simple = plain and tags.number(_PREDICTOR, 1) == 1 and _TILE_OFFSETS not in tags
    if bits in _PACKED and (samples > 1 or photometric > 1 or not simple):
        raise not_read(kind, " packed so", "save it uncompressed in one channel, or in 16 bits")
    if bits not in (1, 2, 4, 8, 16, *_PACKED):
        raise not_read(kind)


def _is_plain(strips: Strips, bits: int, samples: int, photometric: int, predictor: int) -> bool:
    layout = (strips.compression == NONE or strips.compression in DEFLATES) and not strips.tiled
    colours = (samples == 1 and photometric < 2) or (samples == 3 and photometric == 2)
    depth = bits in (8, 16) or (bits in _PACKED and predictor == 1)
    return layout and colours and depth and predictor <= _DIFFERENCES and strips.planes == 1


def _significant_bits(tags: Directory, bits: int) -> int | None:
    """How many low bits carry the value, where MaxSampleValue says so.

    The standard means the tag for statistics, and some programs write the picture's own maximum
    there: what is not 2ⁿ - 1 is not believed.
    """
    for tag in (_MAX_SAMPLE, _S_MAX_SAMPLE):
        most = tags.number(tag, 0)
        if bits == 16 and 0xFF < most < 0xFFFF and most & (most + 1) == 0:
            return most.bit_length()
    return None

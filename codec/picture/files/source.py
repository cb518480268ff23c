"""What the file of an image says about its picture, and Pillow does not pass on."""

import io
import os
import re
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from ...errors import FormatError
from ...format.contents import Contents
from ..colour.signalled import Colour, colour_of_chromaticities, colour_of_code_points
from ..orientation import QUARTERS
from . import heif, jxl
from .boxes import boxes, child

_MODE_BITS = {"I": 32, "F": 32, "I;16": 16, "I;16L": 16, "I;16B": 16, "I;16N": 16}
_PNG_HEADER, _PNG_GRAY_TYPES = 33, (0, 4)
_TGA_HEADER, _TGA_ATTRIBUTE_BITS = 18, 0x0F
_PPM_HEADER, _COMMENT = 1000, re.compile(rb"#[^\r\n]*")
_CODESTREAM, _DEPTHS_VARY, _ICC_METHODS = b"\xff\x4f\xff\x51", 255, (2, 3)
_JP2_EXIF, _JP2_XMP = b"JpgTiffExif->JP2", bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_GIF_XMP, _GIF_XMP_END = b"\x21\xff\x0bXMP DataXMP", b"\x01\xff\xfe\xfd"
_BMP_HEADER, _BMP_V5, _BMP_PROFILE = 14, 124, b"DEBM"


@dataclass(frozen=True)
class SourceFacts:
    """What is said about samples, metadata, and what is not taken over.

    Attributes:
        bits: per sample, before Pillow reduces them.
        colour: how colours are meant, where that is not said by an ICC profile.
        profile: an ICC profile.
        exif, xmp: blocks of metadata.
        gray: whether samples are gray, also if Pillow makes colours of them.
        opaque: whether alpha is nothing but padding.
        turned_by_a_quarter: by Pillow, while it loads.
        lost: names of what is left out.
    """

    bits: int = 8
    colour: Colour | None = None
    profile: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""
    gray: bool = False
    opaque: bool = False
    turned_by_a_quarter: bool = False
    lost: tuple[str, ...] = ()

    def completed(self, info: Mapping[Any, Any]) -> dict[Any, Any]:
        """The `info` of the loaded image, with the metadata that Pillow has not put there or not turned."""
        found = {"exif": self.exif, "xmp": self.xmp}
        completed = {name: value for name, value in found.items() if value} | dict(info)
        if self.turned_by_a_quarter and "dpi" in info:
            completed["dpi"] = info["dpi"][::-1]
        return completed


def read_source(image: Image.Image) -> SourceFacts:
    """Look into the file of an image, before that is loaded: then Pillow closes files that it has opened itself."""
    reader = _READERS.get(image.format or "")
    if reader:
        with suppress(FormatError, struct.error, IndexError, OSError, TypeError, ValueError), _file_of(image) as file:
            return reader(image, file)
    return SourceFacts(_MODE_BITS.get(image.mode, 8))


@contextmanager
def _file_of(image: Image.Image) -> Iterator[IO[bytes]]:
    """The file from its start on, opened again if it is closed; an empty one where it is gone."""
    opened: IO[bytes] | None = getattr(image, "fp", None)
    name = getattr(image, "filename", "")
    if opened is not None:
        position = opened.tell()
        opened.seek(0)
        try:
            yield opened
        finally:
            opened.seek(position)
    elif name:
        with Path(os.fsdecode(name)).open("rb") as file:
            yield file
    else:
        yield io.BytesIO()


def _png(_: Image.Image, file: IO[bytes]) -> SourceFacts:
    header = file.read(_PNG_HEADER)
    found = SourceFacts(header[24], gray=header[25] in _PNG_GRAY_TYPES)
    while True:
        length, name = struct.unpack(">L4s", file.read(8))
        if name == b"IDAT":
            return found
        if name == b"cICP":
            return replace(found, colour=colour_of_code_points(*file.read(2)))
        file.seek(length + 4, io.SEEK_CUR)


def _ppm(_: Image.Image, file: IO[bytes]) -> SourceFacts:
    magic, *numbers = _COMMENT.sub(b"", file.read(_PPM_HEADER)).split()[:4]
    has_largest = magic in (b"P2", b"P3", b"P5", b"P6")
    return SourceFacts(int(numbers[2]).bit_length() if has_largest else 32 if magic == b"Pf" else 1)


def _tiff(image: Image.Image, _: IO[bytes]) -> SourceFacts:
    assert isinstance(image, TiffImagePlugin.TiffImageFile)
    tags = image.tag_v2
    chromaticities = *tags.get(Base.WhitePoint, ()), *tags.get(Base.PrimaryChromaticities, ())
    colour = colour_of_chromaticities([float(number) for number in chromaticities])
    stored = tags.get(Base.ImageWidth), tags.get(Base.ImageLength)
    is_turned = tags.get(Base.Orientation) in QUARTERS or image.size != stored  # which says it once it is loaded
    return SourceFacts(max(tags.get(Base.BitsPerSample, (1,))), colour, turned_by_a_quarter=is_turned)


def _heif(_: Image.Image, file: IO[bytes]) -> SourceFacts:
    data = memoryview(file.read())
    properties = heif.primary_properties(data)
    points = heif.code_points(properties)
    colour = colour_of_code_points(*points) if points else None
    lost = ("the gain map",) if heif.has_gain_map(data) else ()
    return SourceFacts(heif.bits_per_sample(properties), colour, lost=lost)


def _jpeg2000(_: Image.Image, file: IO[bytes]) -> SourceFacts:
    data = memoryview(file.read())
    if data[:4] == _CODESTREAM:
        return SourceFacts((data[42] & 0x7F) + 1)
    header = child(data, b"jp2h")
    colour = child(header, b"colr")
    profile = bytes(colour[3:]) if colour and colour[0] in _ICC_METHODS else b""
    depth = child(header, b"ihdr")[10]
    depths = child(header, b"bpcc") if depth == _DEPTHS_VARY else [depth]
    said = {bytes(content[:16]): bytes(content[16:]) for kind, content in boxes(data) if kind == b"uuid"}
    exif, xmp = said.get(_JP2_EXIF, b""), said.get(_JP2_XMP, b"")
    return SourceFacts(max(depth & 0x7F for depth in depths) + 1, profile=profile, exif=exif, xmp=xmp)


def _jxl(_: Image.Image, file: IO[bytes]) -> SourceFacts:
    data = file.read()
    metadata = jxl.metadata(data)
    lost = ("XMP, which is compressed",) if metadata.has_compressed_xmp else ()
    return SourceFacts(jxl.bits_per_sample(data), xmp=metadata.xmp, lost=lost)


def _gif(_: Image.Image, file: IO[bytes]) -> SourceFacts:
    behind = file.read().partition(_GIF_XMP)[2]
    return SourceFacts(xmp=behind[: max(0, behind.find(_GIF_XMP_END))])


def _bmp(_: Image.Image, file: IO[bytes]) -> SourceFacts:
    header = file.read(_BMP_HEADER + _BMP_V5)[_BMP_HEADER:]
    version, colour_space, start, length = struct.unpack("<L52x4s52xLL", header[:120])
    if version != _BMP_V5 or colour_space != _BMP_PROFILE:
        return SourceFacts()
    file.seek(_BMP_HEADER + start)
    return SourceFacts(profile=file.read(length))


def _aez(_: Image.Image, file: IO[bytes]) -> SourceFacts:
    lacks_high = Contents(file.read()).lacks_high
    return SourceFacts(lost=("the high resolution, since the file is cut off",) if lacks_high else ())


def _tga(_: Image.Image, file: IO[bytes]) -> SourceFacts:
    return SourceFacts(8, opaque=file.read(_TGA_HEADER)[17] & _TGA_ATTRIBUTE_BITS == 0)


_READERS: dict[str, Callable[[Image.Image, IO[bytes]], SourceFacts]] = {
    "PNG": _png,
    "PPM": _ppm,
    "TIFF": _tiff,
    "TGA": _tga,
    "AVIF": _heif,
    "HEIF": _heif,
    "JPEG2000": _jpeg2000,
    "JXL": _jxl,
    "GIF": _gif,
    "BMP": _bmp,
    "AEZ": _aez,
}

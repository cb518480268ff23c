"""What the file of an image says about its samples, and Pillow does not pass on."""

import io
import os
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from ..colour.signalled import Colour, colour_of_chromaticities, colour_of_code_points
from . import heif
from .boxes import child

_MODE_BITS = {"I": 32, "F": 32, "I;16": 16, "I;16L": 16, "I;16B": 16, "I;16N": 16}
_PNG_HEADER = 33
_TGA_HEADER, _TGA_ATTRIBUTE_BITS = 18, 0x0F
_PPM_HEADER, _COMMENT = 1000, re.compile(rb"#[^\r\n]*")
_CODESTREAM, _DEPTHS_VARY, _ICC_METHODS = b"\xff\x4f\xff\x51", 255, (2, 3)


@dataclass(frozen=True)
class SampleFacts:
    """Bits per sample, before Pillow reduces them; how colours are meant, by an ICC profile or in another way.

    A gain map is a second picture that makes HDR out of the first. Opaque: alpha is nothing but padding.
    """

    bits: int
    colour: Colour | None = None
    profile: bytes = b""
    gain_map: bool = False
    opaque: bool = False


def read_source(image: Image.Image) -> SampleFacts:
    """Look into the file of an image, before that is loaded: then Pillow closes files that it has opened itself."""
    reader = _READERS.get(image.format or "")
    if reader:
        with suppress(struct.error, IndexError, OSError, TypeError, ValueError), _file_of(image) as file:
            return reader(image, file)
    return SampleFacts(_MODE_BITS.get(image.mode, 8))


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


def _png(_: Image.Image, file: IO[bytes]) -> SampleFacts:
    bits = file.read(_PNG_HEADER)[24]
    while True:
        length, name = struct.unpack(">L4s", file.read(8))
        if name == b"IDAT":
            return SampleFacts(bits)
        if name == b"cICP":
            return SampleFacts(bits, colour_of_code_points(*file.read(2)))
        file.seek(length + 4, io.SEEK_CUR)


def _ppm(_: Image.Image, file: IO[bytes]) -> SampleFacts:
    magic, *numbers = _COMMENT.sub(b"", file.read(_PPM_HEADER)).split()[:4]
    has_largest = magic in (b"P2", b"P3", b"P5", b"P6")
    return SampleFacts(int(numbers[2]).bit_length() if has_largest else 32 if magic == b"Pf" else 1)


def _tiff(image: Image.Image, _: IO[bytes]) -> SampleFacts:
    assert isinstance(image, TiffImagePlugin.TiffImageFile)
    tags = image.tag_v2
    chromaticities = *tags.get(Base.WhitePoint, ()), *tags.get(Base.PrimaryChromaticities, ())
    colour = colour_of_chromaticities([float(number) for number in chromaticities])
    return SampleFacts(max(tags.get(Base.BitsPerSample, (1,))), colour)


def _heif(_: Image.Image, file: IO[bytes]) -> SampleFacts:
    data = memoryview(file.read())
    properties = heif.primary_properties(data)
    points = heif.code_points(properties)
    colour = colour_of_code_points(*points) if points else None
    return SampleFacts(heif.bits_per_sample(properties), colour, gain_map=heif.has_gain_map(data))


def _jpeg2000(_: Image.Image, file: IO[bytes]) -> SampleFacts:
    data = memoryview(file.read())
    if data[:4] == _CODESTREAM:
        return SampleFacts((data[42] & 0x7F) + 1)
    header = child(data, b"jp2h")
    colour = child(header, b"colr")
    profile = bytes(colour[3:]) if colour and colour[0] in _ICC_METHODS else b""
    depth = child(header, b"ihdr")[10]
    depths = child(header, b"bpcc") if depth == _DEPTHS_VARY else [depth]
    return SampleFacts(max(depth & 0x7F for depth in depths) + 1, profile=profile)


def _tga(_: Image.Image, file: IO[bytes]) -> SampleFacts:
    return SampleFacts(8, opaque=file.read(_TGA_HEADER)[17] & _TGA_ATTRIBUTE_BITS == 0)


_READERS: dict[str, Callable[[Image.Image, IO[bytes]], SampleFacts]] = {
    "PNG": _png,
    "PPM": _ppm,
    "TIFF": _tiff,
    "TGA": _tga,
    "AVIF": _heif,
    "HEIF": _heif,
    "JPEG2000": _jpeg2000,
}

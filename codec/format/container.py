"""Bytes <-> header and sections of an .aez file; nothing here knows about pictures. See format_spec.md.

A file is a fixed header and then sections: a type byte, a length (LEB128) and one magicless zstd frame with content
size and checksum. The sections up to `Header.medium_bytes` are a medium file by themselves.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag
from functools import cached_property
from typing import NamedTuple

import zstandard

from ..errors import DamagedError, FormatError
from .quality import QUALITY_MAX

MAGIC = b"\x89AEZ"
VERSION = 2
_HEADER = struct.Struct("<4sBBHIIIIBBBB")
_CRC = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _CRC.size
SIDE_MAX = 1 << 24
_MEDIUM_MAX = (1 << 32) - 1
_BITS = 8
_WINDOW_MAX = 1 << 31
FASTEST, STRONGEST = 1, 19
"""Levels of zstd: for what is compressed already, and for all else."""


class Flags(IntFlag):
    """Bits of the header; all others are zero."""

    ENHANCEMENT = 1
    ZSTD = 2
    ALL_CODED = 4
    GRAY = 8
    ALPHA = 16
    EXACT = 32
    ALL_EXACT = 64


class SectionType(IntEnum):
    """What a section holds. A type below 128 is critical: a decoder that does not know it must refuse the file."""

    COLOUR = 1
    EXACT = 2
    MEDIUM_ALPHA = 3
    BASE = 4
    ENHANCEMENT = 5
    ALPHA = 6
    EXIF = 128
    XMP = 129


_OPTIONAL = 128


class Colours(NamedTuple):
    """Colour primaries and transfer characteristics by the numbers of CICP (ITU-T H.273)."""

    primaries: int
    transfer: int


SRGB = Colours(1, 13)
BY_PROFILE = Colours(2, 2)
"""Unspecified by CICP: the ICC profile says it."""


@dataclass(frozen=True)
class Header:
    """The first 32 bytes of a file."""

    flags: Flags
    quality: int
    width: int
    height: int
    model: int
    medium_bytes: int = 0
    colours: Colours = SRGB

    @property
    def all_exact(self) -> bool:
        """Whether the picture is stored exactly, without layers and model."""
        return Flags.ALL_EXACT in self.flags

    @property
    def front_end(self) -> SectionType:
        """The last section that the front part can have."""
        return SectionType.ALPHA if self.all_exact else SectionType.BASE

    @property
    def medium_width(self) -> int:
        """Half the width, rounded up."""
        return -(-self.width // 2)

    @property
    def medium_height(self) -> int:
        """Half the height, rounded up."""
        return -(-self.height // 2)

    def pack(self) -> bytes:
        fields = (self.flags, self.quality, self.width, self.height, self.model, self.medium_bytes)
        data = _HEADER.pack(MAGIC, VERSION, *fields, _BITS, *self.colours, 0)
        return data + _CRC.pack(zlib.crc32(data))


@dataclass(frozen=True)
class Section:
    """A section and the uncompressed bytes it holds."""

    type: SectionType
    content: bytes
    level: int = STRONGEST

    @cached_property
    def packed(self) -> bytes:
        """The section as it stands in a file."""
        parameters = zstandard.ZstdCompressionParameters.from_level(
            self.level, format=zstandard.FORMAT_ZSTD1_MAGICLESS, write_content_size=True, write_checksum=True
        )
        return Frame(self.type, zstandard.ZstdCompressor(compression_params=parameters).compress(self.content)).pack()


@dataclass(frozen=True)
class Frame:
    """A section as it stands in a file: its content is still compressed."""

    type: SectionType
    data: bytes

    def pack(self) -> bytes:
        """The section as it stands in a file."""
        return bytes([self.type]) + _length(len(self.data)) + self.data

    def content(self, limit: int) -> bytes:
        """Decompress, having checked the declared size first.

        Raises:
            DamagedError: the frame is damaged, or declares more than `limit` bytes.
        """
        with self._damage():
            size = self._declared(limit)
            content = zstandard.ZstdDecompressor(format=zstandard.FORMAT_ZSTD1_MAGICLESS).decompress(
                self.data, max_output_size=size, allow_extra_data=False
            )
        if len(content) != size:
            raise DamagedError(f"section {self.type.name.lower()} is damaged")
        return content

    def beginning(self, count: int, limit: int) -> bytes:
        """The first `count` bytes of the content, or all where it has fewer, before its checksum can tell of damage.

        Raises:
            DamagedError: the frame is damaged before them, or declares more than `limit` bytes.
        """
        with self._damage():
            size = self._declared(limit)
            if size > _WINDOW_MAX:  # more than zstd can read in pieces
                return self.content(limit)[:count]
            decompressor = zstandard.ZstdDecompressor(
                format=zstandard.FORMAT_ZSTD1_MAGICLESS, max_window_size=_WINDOW_MAX
            )
            with decompressor.stream_reader(self.data) as reader:
                return reader.read(min(count, size))

    def _declared(self, limit: int) -> int:
        """How many bytes the frame says that it holds."""
        declared = zstandard.get_frame_parameters(self.data, format=zstandard.FORMAT_ZSTD1_MAGICLESS)
        size: int = declared.content_size
        if not 0 < size <= limit or not declared.has_checksum:
            raise DamagedError(f"section {self.type.name.lower()} declares {size} bytes, at most {limit} make sense")
        return size

    @contextmanager
    def _damage(self) -> Iterator[None]:
        """What zstd says of a frame, as an error of the file."""
        try:
            yield
        except zstandard.ZstdError as error:
            raise DamagedError(f"section {self.type.name.lower()} is damaged") from error


def parse_header(data: bytes) -> Header:
    """Read the header at the start of a file.

    Raises:
        FormatError: not an aez file, or of another version.
        DamagedError: truncated or altered.
    """
    if data[: len(MAGIC)] != MAGIC[: len(data)] or not data:
        raise FormatError("not an aez file")
    if len(data) > len(MAGIC) and data[len(MAGIC)] != VERSION:  # all behind it may mean something else there
        raise FormatError(f"format version {data[len(MAGIC)]} is not supported, only {VERSION} is")
    if len(data) < HEADER_BYTES:
        raise DamagedError("the header is truncated")
    packed = data[: _HEADER.size]
    _, _, flags, quality, width, height, model, medium_bytes, *rest = _HEADER.unpack(packed)
    if _CRC.unpack_from(data, _HEADER.size)[0] != zlib.crc32(packed):
        raise DamagedError("the header is damaged")
    if flags & ~sum(Flags):
        raise FormatError(f"unknown header flags {flags:#04x}; a newer version of aez may read this file")
    bits, primaries, transfer, reserved = rest
    if bits != _BITS:
        raise FormatError(f"{bits} bits a sample are not supported, only {_BITS} are")
    if reserved:
        raise FormatError(f"unknown header field {reserved:#04x}; a newer version of aez may read this file")
    header = Header(Flags(flags), quality, width, height, model, medium_bytes, Colours(primaries, transfer))
    if not (0 < header.width <= SIDE_MAX and 0 < header.height <= SIDE_MAX):
        raise DamagedError(f"the header declares {header.width} x {header.height} pixels")
    of_layers = header.flags & (Flags.ENHANCEMENT | Flags.ZSTD | Flags.ALL_CODED | Flags.EXACT)
    contradictory = header.all_exact and of_layers
    if header.quality > QUALITY_MAX or header.medium_bytes < HEADER_BYTES or contradictory:
        raise DamagedError("the header declares impossible values")
    return header


def write(header: Header, front: list[Section], rest: list[Section]) -> bytes:
    """A whole file; `front` is what the medium picture needs.

    Raises:
        FormatError: that is 4 GiB or more.
    """
    packed_front = b"".join(section.packed for section in front)
    header = replace(header, medium_bytes=HEADER_BYTES + len(packed_front))
    if header.medium_bytes > _MEDIUM_MAX:
        raise FormatError(f"the front part would have {header.medium_bytes} bytes, more than a file can have")
    return header.pack() + packed_front + b"".join(section.packed for section in rest)


def front_sections(data: bytes, header: Header) -> Iterator[Frame]:
    """The sections that medium needs; unknown optional ones are left out.

    Raises:
        DamagedError: the front part is truncated, or a section is out of place.
        FormatError: a critical section of unknown type.
    """
    if len(data) < header.medium_bytes:
        raise DamagedError(f"truncated: {len(data)} bytes of the {header.medium_bytes} that medium needs")
    return _sections(data, HEADER_BYTES, header.medium_bytes, 0, header.front_end)


def rest_sections(data: bytes, header: Header) -> Iterator[Frame]:
    """The sections behind the front part, one by one; unknown optional ones are left out.

    Raises:
        DamagedError: a section is truncated or out of place.
        FormatError: a critical section of unknown type.
    """
    return _sections(data, header.medium_bytes, len(data), header.front_end, SectionType.XMP)


def _sections(data: bytes, start: int, stop: int, previous: int, last: int) -> Iterator[Frame]:
    """The sections between two positions, of rising types behind `previous` and up to `last`."""
    position = start
    while position < stop:
        kind = data[position]
        length, position = _read_length(data, position + 1, stop)
        if position + length > stop:
            raise DamagedError("the file is truncated")
        frame, position = data[position : position + length], position + length
        known = kind in SectionType.__members__.values()
        if kind == 0 or (known and not previous < kind <= last):
            raise DamagedError(f"a section of type {kind} is out of place")
        if known:
            previous = kind
            yield Frame(SectionType(kind), frame)
        elif kind < _OPTIONAL:
            raise FormatError(f"unknown section type {kind}; a newer version of aez may read this file")


def _length(value: int) -> bytes:
    """LEB128: seven bits a byte, lowest first, the top bit set on all but the last."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def _read_length(data: bytes, position: int, stop: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 35, 7):
        if position >= stop:
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, position
    raise DamagedError("the file is truncated")

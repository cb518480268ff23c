"""A sheet of samples stored exactly: VP8L bitstreams, each after its length, and a CRC-32 of what they give.

WebP ends at 16,383 pixels; larger sheets are cut there, and their parts stored row by row.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..arrays import Samples
from ..errors import DamagedError
from . import vp8l

_NUMBER = struct.Struct("<I")


class Size(NamedTuple):
    """Of an array of pixels or blocks."""

    height: int
    width: int


def pack_sheet(sheet: Samples) -> bytes:
    """Samples [H, W, 3], compressed."""
    packed, crc = bytearray(), 0
    for part in _parts(Size(*sheet.shape[:2])):
        samples = np.ascontiguousarray(sheet[part])
        stream = vp8l.compress(samples)
        packed += _NUMBER.pack(len(stream)) + stream
        crc = zlib.crc32(samples.data, crc)
    return bytes(packed + _NUMBER.pack(crc))


def unpack_sheet(data: bytes, size: Size) -> Samples:
    """The samples [H, W, 3] of a sheet.

    Raises:
        DamagedError: truncated, altered, or not of this size.
    """
    sheet = np.empty((*size, 3), np.uint8)
    crc, position = 0, 0
    for part in _parts(size):
        start = position + _NUMBER.size
        position = start + _number(data, position)
        height, width = sheet[part].shape[:2]
        samples = vp8l.decompress(data[start:position], width, height)
        sheet[part] = samples
        crc = zlib.crc32(samples.data, crc)
    if len(data) != position + _NUMBER.size or _number(data, position) != crc:
        raise DamagedError("the exact samples do not match their checksum")
    return sheet


def _parts(size: Size) -> Iterator[tuple[slice, slice]]:
    """What WebP can hold of a sheet at a time."""
    for top in range(0, size.height, vp8l.SIDE_MAX):
        for left in range(0, size.width, vp8l.SIDE_MAX):
            yield slice(top, top + vp8l.SIDE_MAX), slice(left, left + vp8l.SIDE_MAX)


def _number(data: bytes, position: int) -> int:
    if position + _NUMBER.size > len(data):
        raise DamagedError("the exact samples are truncated")
    return int(_NUMBER.unpack_from(data, position)[0])

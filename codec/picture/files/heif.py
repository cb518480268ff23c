"""AVIF and HEIF: a picture is an item of the file, and what is said about it are properties given to that item."""

import re
import struct
from collections.abc import Iterator

from .boxes import Content, boxes, child

_FULL_BOX = 4  # a version and flags begin the content of some boxes
_GAIN_MAPS = (b"tmap", b"urn:com:apple:photo:2020:aux:hdrgainmap")
_EXIF_ITEM = re.compile(rb"(infe[\2\3].{3}.{4,6})Exif", re.DOTALL)


def without_exif(file: bytes) -> bytes:
    """The file with its EXIF under another name, so that nobody reads it."""
    return _EXIF_ITEM.sub(rb"\1none", file)


def primary_properties(file: Content) -> list[tuple[bytes, Content]]:
    """Types and contents of what is said about the picture that is shown.

    Raises:
        struct.error, IndexError: the file is malformed.
    """
    meta = child(file, b"meta")[_FULL_BOX:]
    primary = child(meta, b"pitm")
    (item,) = struct.unpack_from(">L" if primary[0] else ">H", primary, _FULL_BOX)
    known = [*boxes(child(meta, b"iprp", b"ipco"))]
    return [
        known[number - 1]
        for kind, association in boxes(child(meta, b"iprp"))
        if kind == b"ipma"
        for owner, numbers in _associations(association)
        if owner == item
        for number in numbers
        if number
    ]


def bits_per_sample(properties: list[tuple[bytes, Content]]) -> int:
    """What the properties of a picture say about it.

    Raises:
        IndexError: they are malformed.
    """
    said = dict(properties)
    if b"pixi" in said:
        return max(said[b"pixi"][_FULL_BOX + 1 :])
    if b"av1C" in said:
        deep, deeper = said[b"av1C"][2] & 0x40, said[b"av1C"][2] & 0x20
        return (12 if deeper else 10) if deep else 8
    return 8


def code_points(properties: list[tuple[bytes, Content]]) -> tuple[int, int] | None:
    """Numbers of ITU-T H.273 for primaries and transfer, if the properties say them.

    Raises:
        struct.error: they are malformed.
    """
    for kind, content in properties:
        if kind == b"colr" and bytes(content[:4]) == b"nclx":
            primaries, transfer = struct.unpack_from(">HH", content, 4)
            return primaries, transfer
    return None


def has_gain_map(file: Content) -> bool:
    """Whether an item of the file says how to make HDR out of the primary one."""
    items = bytes(child(file, b"meta"))
    return any(mark in items for mark in _GAIN_MAPS)


def _associations(content: Content) -> Iterator[tuple[int, list[int]]]:
    """Items, and the numbers of their properties."""
    version, flags = content[0], content[3]
    (count,) = struct.unpack_from(">L", content, _FULL_BOX)
    place = _FULL_BOX + 4
    for _ in range(count):
        item, length = struct.unpack_from(">LB" if version else ">HB", content, place)
        place += 5 if version else 3
        if flags & 1:
            yield item, [number & 0x7FFF for number in struct.unpack_from(f">{length}H", content, place)]
        else:
            yield item, [number & 0x7F for number in content[place : place + length]]
        place += length * (2 if flags & 1 else 1)

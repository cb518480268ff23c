"""Taking positions out of EXIF and XMP, and leaving all else as it is, byte by byte."""

import re
import struct
from dataclasses import dataclass

from .notes import note

_BYTE_ORDERS = {b"II": "<", b"MM": ">"}
_FIELD = 12
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_POSITION = 0x8825
_FURTHER = (0x8769, 0xA005, 0x014A)  # directories: of the exposure, of interoperability, of further pictures
_WHOLE_BLOCKS = (0x02BC, 0x8649)  # XMP and Photoshop's resources within EXIF, which can tell the position too
_DIRECTORIES_MAX = 100

# What XMP calls positions, in the names of EXIF, of drones and of the web: exif:GPSLatitude, drone-dji:GpsLongtitude.
_NAME = rb"(?:[\w.-]+:)?[\w.-]*(?:gps|latitude|longt?itude)[\w.-]*|geo:(?:lat|long|alt)"
_ATTRIBUTE = re.compile(rb"""(?i)\s(?:%b)\s*=\s*(?:"[^"]*"|'[^']*')""" % _NAME)
_ELEMENT = re.compile(rb"(?i)<(%b)(?:\s[^<>]*)?(?:/>|>[^<]*</\1\s*>)" % _NAME)
_LEFT = re.compile(rb"(?i)</?(?:%b)[\s/>]|\s(?:%b)\s*=|g\0+p\0+s" % (_NAME, _NAME))


def xmp_without_gps(packet: bytes) -> bytes:
    """An XMP packet without positions; empty, with a note, if one of them cannot be taken out."""
    cleared = _ATTRIBUTE.sub(b"", _ELEMENT.sub(b"", packet))
    if _LEFT.search(cleared):
        note("XMP is left out, since the position cannot be taken out of it")
        return b""
    return cleared


def exif_without_gps(block: bytes) -> bytes:
    """An EXIF block, from its TIFF header on, without positions; empty, with a note, if that header is malformed."""
    if not block:
        return b""
    try:
        directories = _Directories(bytearray(block), _BYTE_ORDERS[block[:2]])
        start = directories.number("L", 4)
    except (KeyError, struct.error):
        note("malformed EXIF is left out, since it may tell the position")
        return b""
    directories.clear(start)
    return bytes(directories.data)


@dataclass(frozen=True)
class _Field:
    """A field: where its twelve bytes are, and where its value is and how long."""

    start: int
    tag: int
    value_start: int
    value_bytes: int


class _Directories:
    """The directories of an EXIF block, changed in place. What they place behind its end is not there."""

    def __init__(self, data: bytearray, order: str) -> None:
        self.data = data
        self._order = order

    def number(self, code: str, start: int) -> int:
        """A whole number of the block."""
        found: int = struct.unpack_from(self._order + code, self.data, start)[0]
        return found

    def clear(self, first: int) -> None:
        """Take positions out of a chain of directories and of those below them."""
        chained, below = [first], list[int]()
        seen = {0}
        while chained or below:
            in_chain = bool(chained)
            start = chained.pop() if in_chain else below.pop()
            if start in seen or len(seen) > _DIRECTORIES_MAX:
                continue
            seen.add(start)
            fields = self._fields(start)
            if in_chain:  # others may have something else behind them
                chained += self._pointers(start + 2 + _FIELD * len(fields), 4)
            for field in fields:
                if field.tag in _FURTHER:
                    below += self._pointers(field.value_start, field.value_bytes)
            self._remove(start, fields)

    def _remove(self, start: int, fields: list[_Field]) -> None:
        """Take fields that tell a position out of a directory, with what they point to."""
        kept = bytearray()
        for field in fields:
            if field.tag == _POSITION:
                for pointer in self._pointers(field.value_start, field.value_bytes):
                    self._wipe_directory(pointer)
            elif field.tag in _WHOLE_BLOCKS:
                self._wipe(field.value_start, field.value_bytes)
            else:
                kept += self.data[field.start : field.start + _FIELD]
        if len(kept) == _FIELD * len(fields):
            return
        end = start + 2 + _FIELD * len(fields)
        following = self.data[end : end + 4]
        directory = struct.pack(self._order + "H", len(kept) // _FIELD) + kept + following
        self.data[start : end + len(following)] = directory.ljust(end + len(following) - start, b"\0")

    def _fields(self, start: int) -> list[_Field]:
        try:
            count = self.number("H", start)
        except struct.error:
            return []
        starts = range(start + 2, len(self.data) - _FIELD + 1, _FIELD)[:count]
        return [self._field(place) for place in starts]

    def _field(self, start: int) -> _Field:
        value_bytes = self.number("L", start + 4) * _SIZES.get(self.number("H", start + 2), 1)
        value_start = start + 8 if value_bytes <= 4 else self.number("L", start + 8)
        return _Field(start, self.number("H", start), value_start, value_bytes)

    def _pointers(self, start: int, count: int) -> list[int]:
        """Numbers that say where directories are."""
        places = range(start, min(start + count, len(self.data)) - 3, 4)[:_DIRECTORIES_MAX]
        return [self.number("L", place) for place in places]

    def _wipe_directory(self, start: int) -> None:
        fields = self._fields(start)
        for field in fields:
            self._wipe(field.value_start, field.value_bytes)
        self._wipe(start, 2 + _FIELD * len(fields))

    def _wipe(self, start: int, count: int) -> None:
        there = len(self.data[start : start + count])
        self.data[start : start + there] = bytes(there)

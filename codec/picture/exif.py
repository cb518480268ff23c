"""EXIF blocks, read and changed byte by byte.

Thumbnails and maker notes are found by their offsets, and many writers get types or ranges of some field wrong. So a
block is never taken apart and written anew: what is changed is overwritten, what is added comes behind the end.
"""

import re
import struct
from dataclasses import dataclass
from fractions import Fraction

EXIF_PREFIX = b"Exif\0\0"
EMPTY = b"II*\0" + struct.pack("<LHL", 8, 0, 0)
_PREFIXES = re.compile(rb"(?:Exif\0\0){1,2}")
_BYTE_ORDERS = {b"II*\0": "<", b"II\0*": "<", b"MM\0*": ">", b"MM*\0": ">"}
_FIELD = 12
_ORIENTATION, _ACROSS, _DOWN, _UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_SHORT, _RATIONAL = 3, 5
_INCH, _INCHES = 2, {2: 1.0, 3: 2.54}
_WHOLE_NUMBERS = {3: "H", 4: "L", 8: "h", 9: "l"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}


@dataclass(frozen=True)
class _Field:
    """A field of the first directory: where its twelve bytes and its value are."""

    start: int
    tag: int
    type: int
    value_start: int


class Exif:
    """An EXIF block, from its TIFF header on, with or without the prefix that JPEG puts before it.

    Raises:
        ValueError: there is no such header, or no directory where it points.
    """

    def __init__(self, block: bytes) -> None:
        prefix = _PREFIXES.match(block)
        self.data = block[prefix.end() :] if prefix else block
        try:
            self._order = _BYTE_ORDERS[self.data[:4]]
            (self._start,) = self._unpack("L", 4)
            (count,) = self._unpack("H", self._start)
        except (KeyError, struct.error):
            raise ValueError("malformed EXIF") from None
        starts = range(self._start + 2, len(self.data) - _FIELD + 1, _FIELD)[:count]
        self._fields = [self._field(start) for start in starts]

    @property
    def orientation(self) -> int:
        """How to turn the picture, 1 to 8 as the tag counts; 1, which is not at all, if nothing else can be read."""
        values = [value for _, _, value in self._orientations()]
        return values[-1] if values and 1 <= values[-1] <= 8 else 1

    @property
    def resolution(self) -> tuple[float, float] | None:
        """Pixels per inch across and down, if they are said."""
        values = {field.tag: self._fraction(field) for field in self._fields if field.tag in (_ACROSS, _DOWN)}
        across, down = values.get(_ACROSS), values.get(_DOWN)
        unit = next((self._unpack("H", field.start + 8)[0] for field in self._fields if field.tag == _UNIT), _INCH)
        if not across or not down or unit not in _INCHES:
            return None
        return across * _INCHES[unit], down * _INCHES[unit]

    @property
    def has_resolution(self) -> bool:
        """Whether there are such fields, even if they cannot be read."""
        return any(field.tag in (_ACROSS, _DOWN) for field in self._fields)

    def with_resolution(self, across: Fraction, down: Fraction) -> bytes:
        """The block with fields for pixels per inch; the first directory goes behind the end, where it has room."""
        kept = {f.tag: self.data[f.start : f.start + _FIELD] for f in self._fields if f.tag != _UNIT}
        padding = bytes(len(self.data) % 2)
        start = len(self.data) + len(padding)
        end = start + 2 + _FIELD * (len(kept) + 3) + 4
        added = {
            _ACROSS: self._pack("HHLL", _ACROSS, _RATIONAL, 1, end),
            _DOWN: self._pack("HHLL", _DOWN, _RATIONAL, 1, end + 8),
            _UNIT: self._pack("HHLHH", _UNIT, _SHORT, 1, _INCH, 0),
        }
        fields = b"".join(packed for _, packed in sorted((kept | added).items()))
        after = self._start + 2 + _FIELD * len(self._fields)
        next_directory = self.data[after : after + 4].ljust(4, b"\0")
        values = self._pack("LLLL", *across.as_integer_ratio(), *down.as_integer_ratio())
        directory = self._pack("H", len(kept) + 3) + fields + next_directory + values
        return self.data[:4] + self._pack("L", start) + self.data[8:] + padding + directory

    def upright(self) -> bytes:
        """The block for a picture that has been turned: as it is, but that the orientation is 1."""
        changed = bytearray(self.data)
        for field, code, _ in self._orientations():
            struct.pack_into(self._order + code, changed, field.value_start, 1)
        return bytes(changed)

    def without_orientation(self) -> bytes:
        """The block without the field, for formats that say it in another way; the directory ends earlier."""
        kept = [self.data[f.start : f.start + _FIELD] for f in self._fields if f.tag != _ORIENTATION]
        end = self._start + 2 + _FIELD * len(self._fields)
        directory = self._pack("H", len(kept)) + b"".join(kept) + self.data[end : end + 4]
        return self.data[: self._start] + directory.ljust(end + 4 - self._start, b"\0") + self.data[end + 4 :]

    def _orientations(self) -> list[tuple[_Field, str, int]]:
        """Fields of that name, how their number is packed, and the number."""
        found = []
        for field in self._fields:
            code = _WHOLE_NUMBERS.get(field.type)
            if field.tag == _ORIENTATION and code and field.value_start + struct.calcsize(code) <= len(self.data):
                (number,) = self._unpack(code, field.value_start)
                found.append((field, code, number))
        return found

    def _fraction(self, field: _Field) -> float | None:
        if field.type != _RATIONAL or field.value_start + 8 > len(self.data):
            return None
        numerator, denominator = self._unpack("LL", field.value_start)
        return numerator / denominator if denominator else None

    def _field(self, start: int) -> _Field:
        tag, kind, count = self._unpack("HHL", start)
        inline = count * _SIZES.get(kind, 1) <= 4
        return _Field(start, tag, kind, start + 8 if inline else self._unpack("L", start + 8)[0])

    def _unpack(self, codes: str, start: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + codes, self.data, start)

    def _pack(self, codes: str, *values: int) -> bytes:
        return struct.pack(self._order + codes, *values)

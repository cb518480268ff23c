"""The directories of an EXIF block: fields of twelve bytes, with a value or where it is."""

import re
import struct
from typing import NamedTuple

EXIF_PREFIX = b"Exif\0\0"
FIELD = 12
_HEADER = 8
SHORT, RATIONAL = 3, 5
_PREFIXES = re.compile(rb"(?:Exif\0\0){1,2}")
_BYTE_ORDERS = {b"II*\0": "<", b"II\0*": "<", b"MM\0*": ">", b"MM*\0": ">"}
_WHOLE_NUMBERS = {1: "B", 3: "H", 4: "L", 6: "b", 8: "h", 9: "l", 13: "L"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}


class Field(NamedTuple):
    """Where its twelve bytes are, what they say, and where its value is and how long, which may be beyond the end."""

    start: int
    tag: int
    type: int
    value_start: int
    value_bytes: int

    @property
    def code(self) -> str:
        """How `struct` calls the whole numbers of its value; empty if it has none."""
        return _WHOLE_NUMBERS.get(self.type, "")

    @property
    def is_within(self) -> bool:
        """Whether its value is in the field itself. One elsewhere may be anywhere, also in what says where all is."""
        return self.value_bytes <= 4


class Directories:
    """A block from its TIFF header on, given with or without the prefix that JPEG puts before it.

    Raises:
        ValueError: there is no such header, or no directory where it points.
    """

    def __init__(self, block: bytes) -> None:
        prefix = _PREFIXES.match(block)
        self.data = block[prefix.end() :] if prefix else block
        try:
            self.order = _BYTE_ORDERS[self.data[:4]]
            (self.first,) = self.unpack("L", 4)
            self.unpack("H", self.first)
        except (KeyError, struct.error):
            raise ValueError("malformed EXIF") from None
        if self.first < _HEADER:
            raise ValueError("malformed EXIF")

    def fields(self, start: int) -> list[Field]:
        """The fields of the directory there, as far as they are complete."""
        if start + 2 > len(self.data):
            return []
        (count,) = self.unpack("H", start)
        count = min(count, (len(self.data) - start - 2) // FIELD)
        packed = self.data[start + 2 : start + 2 + FIELD * count]
        places = range(start + 2, len(self.data), FIELD)
        unpacked = struct.iter_unpack(self.order + "HHLL", packed)
        return [_field(place, *numbers) for place, numbers in zip(places, unpacked, strict=False)]

    def number(self, field: Field) -> int | None:
        """The first whole number of its value, if it is of such a type."""
        if not field.code or field.value_start + struct.calcsize(field.code) > len(self.data):
            return None
        return self.unpack(field.code, field.value_start)[0]

    def unpack(self, codes: str, start: int) -> tuple[int, ...]:
        """Whole numbers of the block.

        Raises:
            struct.error: it ends before.
        """
        return struct.unpack_from(self.order + codes, self.data, start)

    def pack(self, codes: str, *values: int) -> bytes:
        """Numbers in the byte order of the block."""
        return struct.pack(self.order + codes, *values)


def _field(start: int, tag: int, kind: int, count: int, value: int) -> Field:
    value_bytes = count * _SIZES.get(kind, 1)
    return Field(start, tag, kind, start + 8 if value_bytes <= 4 else value, value_bytes)

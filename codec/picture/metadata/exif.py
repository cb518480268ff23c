"""EXIF blocks, read and changed byte by byte.

Thumbnails and maker notes are found by their offsets, and many writers get types or ranges of some field wrong. So a
block is never taken apart and written anew: what is changed is overwritten, what is added comes behind the end.
"""

import struct
from fractions import Fraction

from PIL.ExifTags import Base

from ..orientation import QUARTERS
from .exif_directories import FIELD, RATIONAL, SHORT, Directories, Field
from .resolution import is_possible

EMPTY = b"II*\0" + struct.pack("<LHL", 8, 0, 0)
_INCH, _INCHES = 2, {2: 1.0, 3: 2.54}
_RESOLUTIONS = Base.XResolution, Base.YResolution
_ORIENTATION_CODES = ("H", "L", "h", "l")
_FIELDS_MAX = 0xFFFF


class Exif:
    """An EXIF block, from its TIFF header on, with or without the prefix that JPEG puts before it.

    Raises:
        ValueError: there is no such header, or no directory where it points.
    """

    def __init__(self, block: bytes) -> None:
        self._directories = Directories(block)
        self._start = self._directories.first
        self._fields = self._directories.fields(self._start)

    @property
    def data(self) -> bytes:
        """The block without the prefix."""
        return self._directories.data

    @property
    def orientation(self) -> int:
        """How to turn the picture, 1 to 8 as the tag counts; 1, which is not at all, if nothing else can be read."""
        fields = self._orientations()
        number = self._directories.number(fields[-1]) if fields else None
        return number if number is not None and 1 <= number <= 8 else 1

    @property
    def resolution(self) -> tuple[float, float] | None:
        """Pixels per inch across and down, if they are said and can be meant."""
        across, down = self._fraction(Base.XResolution), self._fraction(Base.YResolution)
        units = [field for field in self._fields if field.tag == Base.ResolutionUnit]
        unit = self._directories.unpack("H", units[0].start + 8)[0] if units else _INCH
        if across is None or down is None or unit not in _INCHES:
            return None
        found = across * _INCHES[unit], down * _INCHES[unit]
        return found if is_possible(found) else None

    @property
    def has_resolution(self) -> bool:
        """Whether there are such fields, even if they cannot be read."""
        return any(field.tag in _RESOLUTIONS for field in self._fields)

    def with_resolution(self, across: Fraction, down: Fraction) -> bytes:
        """The block with fields for pixels per inch; the first directory goes behind the end, where it has room.

        One that is full stays as it is.
        """
        pack = self._directories.pack
        kept = {field.tag: self._packed(field) for field in self._fields if field.tag != Base.ResolutionUnit}
        if len(kept) + 3 > _FIELDS_MAX:
            return self.data
        padding = bytes(len(self.data) % 2)
        start = len(self.data) + len(padding)
        end = start + 2 + FIELD * (len(kept) + 3) + 4
        added: dict[int, bytes] = {
            Base.XResolution: pack("HHLL", Base.XResolution, RATIONAL, 1, end),
            Base.YResolution: pack("HHLL", Base.YResolution, RATIONAL, 1, end + 8),
            Base.ResolutionUnit: pack("HHLHH", Base.ResolutionUnit, SHORT, 1, _INCH, 0),
        }
        fields = b"".join(packed for _, packed in sorted((kept | added).items()))
        after = self._start + 2 + FIELD * len(self._fields)
        next_directory = self.data[after : after + 4].ljust(4, b"\0")
        values = pack("LLLL", *across.as_integer_ratio(), *down.as_integer_ratio())
        directory = pack("H", len(kept) + 3) + fields + next_directory + values
        return self.data[:4] + pack("L", start) + self.data[8:] + padding + directory

    def upright(self) -> bytes:
        """The block for a picture that has been turned: as it is, but that the orientation is 1.

        After a quarter of a turn each of the two resolutions is the other's.
        """
        changed = bytearray(self.data)
        for field in self._orientations():
            struct.pack_into(self._directories.order + field.code, changed, field.value_start, 1)
        places = {field.tag: field.start for field in self._fields if field.tag in _RESOLUTIONS}
        if self.is_turned_by_a_quarter and len(places) == len(_RESOLUTIONS):
            across, down = (slice(places[tag] + 2, places[tag] + FIELD) for tag in _RESOLUTIONS)
            changed[across], changed[down] = changed[down], changed[across]
        return bytes(changed)

    @property
    def is_turned_by_a_quarter(self) -> bool:
        """Whether width and height of the upright picture are those of its samples, exchanged."""
        return self.orientation in QUARTERS

    def without_orientation(self) -> bytes:
        """The block without the field, for formats that say it in another way; the directory ends earlier."""
        kept = [self._packed(field) for field in self._fields if field.tag != Base.Orientation]
        end = self._start + 2 + FIELD * len(self._fields)
        directory = self._directories.pack("H", len(kept)) + b"".join(kept) + self.data[end : end + 4]
        return self.data[: self._start] + directory.ljust(end + 4 - self._start, b"\0") + self.data[end + 4 :]

    def _orientations(self) -> list[Field]:
        """Fields of that name that have a number."""
        return [
            field
            for field in self._fields
            if field.tag == Base.Orientation
            and field.code in _ORIENTATION_CODES
            and field.is_within
            and self._directories.number(field) is not None
        ]

    def _fraction(self, tag: int) -> float | None:
        fields = [field for field in self._fields if field.tag == tag]
        if not fields or fields[-1].type != RATIONAL or fields[-1].value_start + 8 > len(self.data):
            return None
        numerator, denominator = self._directories.unpack("LL", fields[-1].value_start)
        return numerator / denominator if denominator else None

    def _packed(self, field: Field) -> bytes:
        return self.data[field.start : field.start + FIELD]

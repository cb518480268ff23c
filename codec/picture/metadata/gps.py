"""Taking positions out of EXIF, and leaving all else as it is, byte by byte."""

import struct
from collections.abc import Iterator

from PIL.ExifTags import Base

from ...errors import warn
from .exif_directories import FIELD, Directories, Field

_FURTHER = (Base.ExifOffset, Base.ExifInteroperabilityOffset, Base.SubIFDs)
_WHOLE_BLOCKS = (Base.XMLPacket, Base.ImageResources)  # XMP and Photoshop's resources can tell the position too
_THUMBNAIL = (Base.JpegIFOffset, Base.JpegIFByteCount)
_MARKERS = (b"\xff\xe1", b"\xff\xed")  # of EXIF and XMP, and of Photoshop's resources; never among samples
_DIRECTORIES_MAX, _ENTRIES_MAX = 100, 20_000


def exif_without_gps(block: bytes) -> bytes:
    """An EXIF block, from its TIFF header on, without positions; empty, with a note, if one of them may be left."""
    if not block:
        return b""
    try:
        cleared = _Positions(block).cleared()
        if _Positions(cleared).cleared() == cleared:  # otherwise some bytes belong to two things
            return cleared
    except ValueError:
        pass
    warn("EXIF is left out, since the position cannot be taken out of it")
    return b""


class _Positions:
    """Where a block tells a position: fields of directories, and ranges of bytes.

    What directories place behind the end of the block is not there.

    Raises:
        ValueError: it is malformed, or has more directories than anybody needs.
    """

    def __init__(self, block: bytes) -> None:
        self._block = Directories(block)
        self._ranges: list[tuple[int, int]] = []
        self._directories: list[tuple[int, int, list[Field]]] = []  # from, to, and what stays
        self._seen = set[int]()
        self._entries = 0
        chained, below = [self._block.first], list[int]()
        while chained or below:
            in_chain = bool(chained)
            start = chained.pop() if in_chain else below.pop()
            if not start or start in self._seen:
                continue
            fields = self._fields(start)
            if in_chain:  # others may have something else behind them
                chained += self._next(start, fields)
            below += [pointer for field in fields if field.tag in _FURTHER for pointer in self._pointers(field)]
            self._look_into(start, fields)

    def cleared(self) -> bytes:
        """The block without them."""
        data = bytearray(self._block.data)
        for start, end, kept in self._directories:
            packed = b"".join(data[field.start : field.start + FIELD] for field in kept)
            directory = self._block.pack("H", len(kept)) + packed + data[end : end + 4]
            length = len(data[start : end + 4])
            data[start : start + length] = directory.ljust(length, b"\0")
        for start, end in _merged(self._ranges):
            data[start:end] = bytes(len(data[start:end]))
        return bytes(data)

    def _look_into(self, start: int, fields: list[Field]) -> None:
        """Find what of a directory tells a position."""
        removed = {Base.GPSInfo, *_WHOLE_BLOCKS}
        for field in fields:
            if field.tag == Base.GPSInfo:
                for pointer in self._pointers(field):
                    position = self._fields(pointer)
                    self._ranges += [(pointer, pointer + 2 + FIELD * len(position)), *map(_value, position)]
            elif field.tag in _WHOLE_BLOCKS:
                self._ranges.append(_value(field))
        thumbnail = self._thumbnail(fields)
        if thumbnail and any(marker in self._block.data[slice(*thumbnail)] for marker in _MARKERS):
            warn("the thumbnail is left out, since it may tell the position too")
            self._ranges.append(thumbnail)
            removed |= {*_THUMBNAIL}
        kept = [field for field in fields if field.tag not in removed]
        if len(kept) < len(fields):
            self._directories.append((start, start + 2 + FIELD * len(fields), kept))

    def _fields(self, start: int) -> list[Field]:
        """The fields of a directory that was not yet looked at."""
        self._seen.add(start)
        fields = self._block.fields(start)
        self._count(len(fields))
        return fields

    def _count(self, entries: int) -> None:
        """Fields and pointers take time, and directories may lie one over the other."""
        self._entries += entries
        if len(self._seen) > _DIRECTORIES_MAX or self._entries > _ENTRIES_MAX:
            raise ValueError("too many directories")

    def _next(self, start: int, fields: list[Field]) -> tuple[int, ...]:
        """Where the next directory of a chain is, if there is one."""
        try:
            return self._block.unpack("L", start + 2 + FIELD * len(fields))
        except struct.error:
            return ()

    def _pointers(self, field: Field) -> tuple[int, ...]:
        """Where a field says that directories are, of whatever type its numbers are."""
        code = field.code or "L"
        size = struct.calcsize(code)
        room = (len(self._block.data) - field.value_start) // size
        count = max(0, min(max(1, field.value_bytes // size), room))
        self._count(count)
        numbers = self._block.unpack(f"{count}{code}", field.value_start) if count else ()
        return tuple(number for number in numbers if number > 0)

    def _thumbnail(self, fields: list[Field]) -> tuple[int, int] | None:
        """From where to where a JPEG file lies in the block; to its end, if that is not said."""
        found = {field.tag: field for field in fields if field.tag in _THUMBNAIL}
        start, length = (self._block.number(found[tag]) if tag in found else None for tag in _THUMBNAIL)
        if start is None or start < 0:
            return None
        return start, len(self._block.data) if length is None or length < 0 else start + length


def _value(field: Field) -> tuple[int, int]:
    """From where to where its value is."""
    return field.value_start, field.value_start + field.value_bytes


def _merged(ranges: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The same bytes, none of them twice."""
    reached = 0
    for start, end in sorted(ranges):
        if end > reached:
            yield max(start, reached), end
            reached = end

"""EXIF blocks written from scratch, also such as Pillow refuses to write."""

import struct
from dataclasses import dataclass
from typing import Literal

ByteOrder = Literal["<", ">"]
SHORT, LONG = 3, 4
ORIENTATION = 0x0112


@dataclass(frozen=True)
class Field:
    """A field whose value has at most four bytes, or is an offset."""

    tag: int
    type: int
    count: int
    value: bytes


def orientation(number: int, order: ByteOrder = "<", type: int = SHORT) -> Field:
    return Field(ORIENTATION, type, 1, struct.pack(order + {SHORT: "H", LONG: "L"}[type], number))


def block(*fields: Field, order: ByteOrder = "<", behind: bytes = b"", next_directory: int = 0) -> bytes:
    """From the TIFF header on: one directory, sorted as it has to be, and further bytes."""
    packed = [
        struct.pack(f"{order}HHL", f.tag, f.type, f.count) + f.value.ljust(4, b"\0")
        for f in sorted(fields, key=lambda field: field.tag)
    ]
    start = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}LH", 8, len(packed))
    return start + b"".join(packed) + struct.pack(f"{order}L", next_directory) + behind


UNWRITABLE = {
    "unit is ASCII": Field(0x0128, 2, 2, b"2\0"),
    "unit beyond its range": Field(0x0128, LONG, 1, struct.pack("<L", 70_000)),
    "unit is negative": Field(0x0128, 9, 1, struct.pack("<l", -3)),
    "compression beyond its range": Field(0x0103, LONG, 1, struct.pack("<L", 99_999)),
    "width is ASCII": Field(0x0100, 2, 4, b"abc\0"),
    "resolution is undefined": Field(0x011A, 7, 4, b"abcd"),
    "resolution is negative": Field(0x011A, 9, 1, struct.pack("<l", -7)),
    "resolution is a negative fraction": Field(0x011A, 10, 1, struct.pack("<L", 8)),
}

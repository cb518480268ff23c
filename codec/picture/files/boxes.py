"""Boxes of AVIF, HEIF and JPEG 2000 files (ISO 14496-12): a length, a type, and content, often boxes again."""

import struct
from collections.abc import Iterator

Content = memoryview


def boxes(data: Content) -> Iterator[tuple[bytes, Content]]:
    """Types and contents of the boxes that lie one behind the other in `data`, as far as they can be read.

    Raises:
        struct.error: from the iterator: a length is cut off.
    """
    while len(data) >= 8:
        size, kind = struct.unpack_from(">L4s", data)
        start = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, 8)
            start = 16
        if size == 0:
            size = len(data)
        if size < start:
            return
        yield kind, data[start:size]
        data = data[size:]


def child(data: Content, *path: bytes) -> Content:
    """The content of the first box of a type, of the first of the next type in that, and so on; empty without any."""
    for name in path:
        data = next((content for kind, content in boxes(data) if kind == name), Content(b""))
    return data

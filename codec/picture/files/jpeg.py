"""JPEG files with optimized tables, also of noise."""

import io
from typing import Any

from PIL import Image

_BYTES_PER_PIXEL = 4  # noise at quality 100 without subsampling takes three


def optimized_jpeg(image: Image.Image, **options: Any) -> bytes:
    """An image of mode L or RGB as a JPEG file; the options are those of `Image.save`.

    Raises:
        OSError, ValueError: as `Image.save`.
    """
    buffer = io.BytesIO()
    room = _Room.of(_BYTES_PER_PIXEL * image.width * image.height)
    image.save(buffer, "jpeg", optimize=True, extra=room, **options)
    return buffer.getvalue()


class _Room(bytes):
    """Segments for a JPEG file, none at first, that seem to Pillow to be larger than they are.

    To optimize, Pillow needs memory for the whole file. It takes one or two bytes a pixel for enough, plus the length
    of what its option `extra` brings and of the segments that it adds to that. `ImageFile.MAXBLOCK`, the other way to
    ask for more, would hold for everything that the process reads and writes.
    """

    _seeming = 0

    @classmethod
    def of(cls, seeming: int, segments: bytes = b"") -> "_Room":
        room = cls(segments)
        room._seeming = seeming
        return room

    def __len__(self) -> int:
        return super().__len__() + self._seeming

    def __add__(self, segments: Any) -> "_Room":
        return self.of(self._seeming, super().__add__(segments))

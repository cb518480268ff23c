"""Exact blocks: which 16 x 16 blocks of a picture are stored as samples, and the sheet that holds these.

The sheet is the smallest rectangle of the picture that holds all exact blocks; elsewhere in it is filler. So the sheet
of a picture whose blocks are all exact is the picture. The first byte says how many levels samples may be off.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..arrays import Samples
from ..errors import DamagedError
from .sheet import Size, pack_sheet, unpack_sheet

SIDE = 16

Map = npt.NDArray[np.bool_]
"""What holds for each block, or pixel, of a picture: [rows, columns]."""


@dataclass(frozen=True)
class ExactBlocks:
    """Which blocks of a picture are exact, and the sheet [h, w, 3]; `left` and `top` is where it is in the picture.

    Samples of the sheet are at most `max_error` levels off what was encoded.
    """

    map: Map
    left: int
    top: int
    sheet: Samples
    max_error: int

    def put(self, picture: Samples) -> None:
        """Put the exact samples over those of a picture [H, W, 3]."""
        self._put(picture, self.sheet, SIDE)

    def put_half(self, picture: Samples, half: Samples) -> None:
        """The same in a picture of half the size, and with half the sheet."""
        self._put(picture, half, SIDE // 2)

    def _put(self, picture: Samples, sheet: Samples, side: int) -> None:
        top, left = self.top * side // SIDE, self.left * side // SIDE
        place = picture[top : top + sheet.shape[0], left : left + sheet.shape[1]]
        exact = pixels_of(self.map, picture.shape[0], picture.shape[1], side)
        np.copyto(place, sheet, where=exact[top : top + sheet.shape[0], left : left + sheet.shape[1], None])


def grid_of(height: int, width: int) -> Size:
    """How many blocks a picture of so many pixels has, down and across."""
    return Size(-(-height // SIDE), -(-width // SIDE))


def pixels_of(blocks: Map, height: int, width: int, side: int = SIDE) -> Map:
    """Which pixels of a picture are in blocks of a map."""
    return blocks.repeat(side, 0)[:height].repeat(side, 1)[:, :width]


def gather(samples: Samples, exact: Map, max_error: int = 0) -> ExactBlocks:
    """The exact blocks, at least one, of a picture's samples [H, W, 3], which are so many levels off."""
    height, width, _ = samples.shape
    top, left, size = _place(exact, height, width)
    box = slice(top, top + size.height), slice(left, left + size.width)
    sheet = np.where(pixels_of(exact, height, width)[box][..., None], samples[box], np.uint8(0))
    return ExactBlocks(exact, left, top, sheet, max_error)


def pack_exact(blocks: ExactBlocks) -> bytes:
    """The content of the section of exact blocks."""
    return bytes([blocks.max_error]) + np.packbits(blocks.map).tobytes() + pack_sheet(blocks.sheet)


def pack_all_exact(samples: Samples, max_error: int = 0) -> bytes:
    """The same where all blocks of a picture [H, W, 3] are exact."""
    return bytes([max_error]) + pack_sheet(samples)


def unpack_max_error(content: bytes) -> int:
    """How many levels exact samples may be off.

    Raises:
        DamagedError: truncated.
    """
    if not content:
        raise DamagedError("the section of exact blocks is empty")
    return content[0]


def unpack_all_exact(content: bytes, size: Size) -> Samples:
    """The samples [H, W, 3] of a picture whose blocks are all exact.

    Raises:
        DamagedError: they are damaged.
    """
    unpack_max_error(content)
    return unpack_sheet(content[1:], size)


def unpack_map(content: bytes, height: int, width: int) -> tuple[Map, bytes]:
    """Which blocks of a picture are exact, and the packed sheet that follows.

    Raises:
        DamagedError: truncated.
    """
    size = grid_of(height, width)
    count = size.height * size.width
    stop = 1 + -(-count // 8)
    if len(content) < stop:
        raise DamagedError("the map of exact blocks is truncated")
    bits = np.unpackbits(np.frombuffer(content[1:stop], np.uint8), count=count)
    return bits.astype(np.bool_).reshape(size), content[stop:]


def unpack_exact(content: bytes, height: int, width: int) -> ExactBlocks:
    """The exact blocks of a picture.

    Raises:
        DamagedError: they are damaged, or there are none.
    """
    exact, packed = unpack_map(content, height, width)
    if not exact.any():
        raise DamagedError("the map of exact blocks is empty")
    top, left, size = _place(exact, height, width)
    return ExactBlocks(exact, left, top, unpack_sheet(packed, size), unpack_max_error(content))


def exact_share(exact: Map, height: int, width: int) -> float:
    """Which share of a picture's pixels is exact."""
    heights = np.minimum(SIDE, height - SIDE * np.arange(exact.shape[0]))
    widths = np.minimum(SIDE, width - SIDE * np.arange(exact.shape[1]))
    return float(heights @ exact @ widths) / (height * width)


def _place(exact: Map, height: int, width: int) -> tuple[int, int, Size]:
    """Top, left and size of the sheet."""
    rows, columns = (np.flatnonzero(exact.any(axis)) for axis in (1, 0))
    top, left = SIDE * int(rows[0]), SIDE * int(columns[0])
    bottom, right = min(SIDE * (int(rows[-1]) + 1), height), min(SIDE * (int(columns[-1]) + 1), width)
    return top, left, Size(bottom - top, right - left)

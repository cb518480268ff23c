"""Exact blocks: which 16 x 16 blocks of a picture are stored as they are, and the sheet that holds their samples.

The sheet is the smallest rectangle of the picture that holds all exact blocks; elsewhere in it is filler. So the sheet
of a picture whose blocks are all exact is the picture.
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
    """Which blocks of a picture are exact, and the sheet [h, w, 3]; `left` and `top` is where it is in the picture."""

    map: Map
    left: int
    top: int
    sheet: Samples

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


def gather(samples: Samples, exact: Map) -> ExactBlocks:
    """The exact blocks, at least one, of a picture's samples [H, W, 3]."""
    height, width, _ = samples.shape
    top, left, size = _place(exact, height, width)
    box = slice(top, top + size.height), slice(left, left + size.width)
    sheet = np.where(pixels_of(exact, height, width)[box][..., None], samples[box], np.uint8(0))
    return ExactBlocks(exact, left, top, sheet)


def pack_exact(blocks: ExactBlocks) -> bytes:
    """The content of the section of exact blocks."""
    return np.packbits(blocks.map).tobytes() + pack_sheet(blocks.sheet)


def unpack_map(content: bytes, height: int, width: int) -> tuple[Map, bytes]:
    """Which blocks of a picture are exact, and the packed sheet that follows.

    Raises:
        DamagedError: truncated.
    """
    size = grid_of(height, width)
    count = size.height * size.width
    taken = -(-count // 8)
    if len(content) < taken:
        raise DamagedError("the map of exact blocks is truncated")
    bits = np.unpackbits(np.frombuffer(content, np.uint8, taken), count=count)
    return bits.astype(np.bool_).reshape(size), content[taken:]


def unpack_exact(content: bytes, height: int, width: int) -> ExactBlocks:
    """The exact blocks of a picture.

    Raises:
        DamagedError: they are damaged, or there are none.
    """
    exact, packed = unpack_map(content, height, width)
    if not exact.any():
        raise DamagedError("the map of exact blocks is empty")
    top, left, size = _place(exact, height, width)
    return ExactBlocks(exact, left, top, unpack_sheet(packed, size))


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

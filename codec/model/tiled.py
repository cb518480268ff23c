"""Tiles: how networks run over a picture of any size piece by piece, without seams."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..arrays import AnyArray
from ..format.blocks import BLOCK

CELLS_PER_BLOCK = 4
TILE = 16


Axis = Literal["rows", "columns", "channels"]


@dataclass(frozen=True)
class Layout:
    """The axes of an array, fixed sizes among them, and how many of its cells a 64 x 64 block of the picture spans."""

    axes: tuple[Axis | int, ...]
    cells: int

    @property
    def rows(self) -> int:
        """Which axis that is."""
        return self.axes.index("rows")

    @property
    def columns(self) -> int:
        """Which axis that is."""
        return self.axes.index("columns")

    def shape(self, channels: int, blocks: tuple[int, int]) -> tuple[int, ...]:
        """Of an array over rows x columns blocks."""
        rows, columns = blocks
        sizes = {"rows": rows * self.cells, "columns": columns * self.cells, "channels": channels}
        return tuple(axis if isinstance(axis, int) else sizes[axis] for axis in self.axes)


PATCHES = Layout(("rows", 8, "columns", 24), 8)
PICTURE = Layout(("rows", "columns", 3), BLOCK)
MEDIUM_PICTURE = Layout(("rows", "columns", 3), BLOCK // 2)
LATENTS = Layout((1, "channels", "rows", "columns"), CELLS_PER_BLOCK)
LATENT_HALVES = Layout((1, "channels", "rows", 2, "columns"), CELLS_PER_BLOCK // 2)
HYPER = Layout((1, "channels", "rows", "columns"), 1)


@dataclass(frozen=True)
class Tile:
    """A rectangle of blocks, [start, stop) by rows and columns, and the same with its halo."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    outer_rows: tuple[int, int]
    outer_columns: tuple[int, int]
    whole: bool

    @property
    def outer_blocks(self) -> tuple[int, int]:
        """How many rows and columns of blocks it has with its halo."""
        return self.outer_rows[1] - self.outer_rows[0], self.outer_columns[1] - self.outer_columns[0]

    def outer(self, array: AnyArray, layout: Layout) -> AnyArray:
        """The tile with halo of a whole array, as a contiguous copy where it is only a part."""
        return np.ascontiguousarray(_window(array, layout, self.outer_rows, self.outer_columns))

    def inner(self, array: AnyArray, layout: Layout) -> AnyArray:
        """The tile without halo of a whole array, as a view."""
        return _window(array, layout, self.rows, self.columns)

    def crop(self, array: AnyArray, layout: Layout) -> AnyArray:
        """The tile without halo of an array of the tile with halo, as a view."""
        top, left = self.outer_rows[0], self.outer_columns[0]
        rows = self.rows[0] - top, self.rows[1] - top
        return _window(array, layout, rows, (self.columns[0] - left, self.columns[1] - left))


def tiles(rows: int, columns: int, halo: int, side: int = TILE) -> Iterator[Tile]:
    """Cover rows x columns blocks by tiles of `side` blocks; halos end at the edges of the picture."""
    for top in range(0, rows, side):
        for left in range(0, columns, side):
            bottom, right = min(top + side, rows), min(left + side, columns)
            yield Tile(
                (top, bottom),
                (left, right),
                (max(top - halo, 0), min(bottom + halo, rows)),
                (max(left - halo, 0), min(right + halo, columns)),
                whole=(bottom - top, right - left) == (rows, columns),
            )


def _window(array: AnyArray, layout: Layout, rows: tuple[int, int], columns: tuple[int, int]) -> AnyArray:
    window = [slice(None)] * array.ndim
    window[layout.rows] = slice(rows[0] * layout.cells, rows[1] * layout.cells)
    window[layout.columns] = slice(columns[0] * layout.cells, columns[1] * layout.cells)
    return array[tuple(window)]

"""Regions of blocks that are exact together or not at all, so that no seam runs through flat ground.

Neighbours are of one region where both are drawn, or where flat ground runs from one into the other: a rectangle of one
colour, `_DEEP` pixels on either side of the border and `_LONG` along it.
"""

import numpy as np
import numpy.typing as npt

from ..arrays import Floats, Samples
from ..format.exact import SIDE, Map, grid_of

_DEEP, _LONG = 4, 4
_ENCLOSED = 2

Labels = npt.NDArray[np.intp]


class Regions:
    """The regions of a picture."""

    def __init__(self, rgb: Samples, drawn: Map) -> None:
        """`rgb`: samples [H, W, 3]; `drawn`: which blocks are, [rows, columns]."""
        across = _flat_ground(rgb) | (drawn[:, 1:] & drawn[:, :-1])
        down = _flat_ground(rgb.transpose(1, 0, 2)).T | (drawn[1:] & drawn[:-1])
        self._labels = components(across, down)
        self._drawn = np.bincount(self._labels.ravel(), drawn.ravel()) > 0
        self._alone = np.bincount(self._labels.ravel()) == 1
        self.candidates: Map = self._drawn[self._labels]
        """Blocks of regions that are drawn somewhere."""

    def choose(self, gain: Floats) -> Map:
        """The exact blocks, given how many bits each would save: of drawn regions that do, and what they enclose."""
        saved = np.bincount(self._labels.ravel(), gain.ravel()) > 0
        chosen: Map = (saved & self._drawn)[self._labels]
        alone = ~self.candidates & self._alone[self._labels]
        enclosed: Map = alone & (gain > 0) & (_exact_neighbours(chosen) >= _ENCLOSED)
        return chosen | enclosed


def _flat_ground(rgb: Samples) -> Map:
    """Whether flat ground runs across the border between each block and the next one in its row."""
    height, width, _ = rgb.shape
    grid = grid_of(height, width)
    borders = SIDE * np.arange(1, grid.width)
    columns = np.minimum(borders[:, None] + np.arange(-_DEEP, _DEEP), width - 1)
    window = rgb[:, columns]  # [H, borders, 2 * _DEEP, 3]
    flat = (window[:, :, 1:] == window[:, :, :-1]).all((2, 3))
    goes_on = flat[1:] & flat[:-1] & (window[1:, :, 0] == window[:-1, :, 0]).all(2)
    long = np.zeros_like(flat)
    if height >= _LONG:
        runs = np.lib.stride_tricks.sliding_window_view(goes_on, _LONG - 1, axis=0)
        long[_LONG - 1 :] = runs.all(-1)
    across: Map = np.logical_or.reduceat(long, np.arange(0, height, SIDE), axis=0)
    return across


def components(across: Map, down: Map) -> Labels:
    """A number for each block, the same for those that are connected; `across` and `down` connect neighbours."""
    labels = np.arange((across.shape[0]) * down.shape[1]).reshape(across.shape[0], down.shape[1])
    while True:
        lower = labels.copy()
        for linked, first, second in ((across, lower[:, :-1], lower[:, 1:]), (down, lower[:-1], lower[1:])):
            np.minimum(first, second, out=first, where=linked)
            np.minimum(first, second, out=second, where=linked)
        lower = lower.ravel()[lower]
        if np.array_equal(lower, labels):
            return labels
        labels = lower


def _exact_neighbours(exact: Map) -> npt.NDArray[np.intp]:
    """How many of the four neighbours of each block are exact."""
    padded = np.pad(exact.astype(np.intp), 1)
    return padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]

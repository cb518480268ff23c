"""The parts of a picture around what looks drawn in it: enough to tell whether any block there is better exact."""

import numpy as np

from ..format.blocks import BLOCK
from ..format.exact import Map
from .regions import components

Part = tuple[slice, slice]
"""Rows and columns of pixels."""


def parts_around(drawn: Map) -> list[Part]:
    """Rectangles around drawn blocks of 64 x 64 [rows, columns] and their neighbours, those that touch together."""
    near = _with_neighbours(drawn)
    labels = components(near[:, 1:] & near[:, :-1], near[1:] & near[:-1])
    parts = []
    for label in np.unique(labels[near]):
        places = np.nonzero(labels == label)
        rows, columns = (slice(BLOCK * int(along.min()), BLOCK * (int(along.max()) + 1)) for along in places)
        parts.append((rows, columns))
    return parts


def _with_neighbours(blocks: Map) -> Map:
    around: Map = np.lib.stride_tricks.sliding_window_view(np.pad(blocks, 1), (3, 3)).max((2, 3))
    return around

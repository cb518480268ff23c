"""Near-lossless samples: near colours become one, which takes fewer bits.

Nothing moves that would show. Colours of flat ground stay, and in smooth places, such as gradients, samples move by a
quarter of what they may at edges. WebP's near-lossless mode has the same idea, but rounds samples, colour or not.
"""

import numpy as np
import numpy.typing as npt

from ..arrays import Samples
from ..format.exact import Map
from ..picture.samples import colour_codes

_SMOOTH = 4
_GROUND = 64  # as many pixels in flat places make a colour one of ground
_COLOURS_MAX = 1 << 14  # so many, the most frequent ones, are merged
_AT_ONCE = 1 << 24  # pixels

_Colours = npt.NDArray[np.int16]
_Counts = npt.NDArray[np.intp]


def near_lossless(rgb: Samples, limit: int, where: Map) -> Samples:
    """Samples [H, W, 3] that are at most `limit` levels off, and only in pixels `where` [H, W]."""
    near = rgb.copy()
    rows = max(_AT_ONCE // rgb.shape[1], 1)
    for strip in (slice(top, top + rows) for top in range(0, len(rgb), rows)):
        near[strip][where[strip]] = _near_pixels(rgb[strip], limit, where[strip])
    return near


def _near_pixels(rgb: Samples, limit: int, where: Map) -> Samples:
    """The pixels `where`, [N, 3]."""
    step = _largest_step(rgb)[where]
    codes, index, counts = np.unique(colour_codes(rgb[where]), return_inverse=True, return_counts=True)
    colours = np.stack([codes >> 16, codes >> 8 & 255, codes & 255], 1).astype(np.int16)
    ground = np.bincount(index, step == 0, len(codes)) >= _GROUND
    at_edges, in_smooth_places = (_merged(colours, counts, ground, most) for most in (limit, limit // _SMOOTH))
    smooth = (step > 0) & (step <= limit)
    return np.where(smooth[:, None], in_smooth_places[index], at_edges[index]).astype(np.uint8)


def _largest_step(rgb: Samples) -> npt.NDArray[np.uint8]:
    """How far any channel of a pixel is from that of one of its four neighbours: [H, W]."""
    step = np.zeros(rgb.shape[:2], np.uint8)
    for axis in (0, 1):
        first, second = (np.moveaxis(rgb, axis, 0)[side] for side in (slice(None, -1), slice(1, None)))
        between = np.maximum(first, second) - np.minimum(first, second)
        along, largest = np.moveaxis(step, axis, 0), between.max(2)
        np.maximum(along[:-1], largest, out=along[:-1])
        np.maximum(along[1:], largest, out=along[1:])
    return step


def _merged(colours: _Colours, counts: _Counts, ground: Map, limit: int) -> _Colours:
    """What becomes of colours [N, 3], sorted by their first channel: the frequent ones take in those within the limit.

    Colours of ground take in others, but are not taken in.
    """
    merged = colours.copy()
    if limit == 0:
        return merged
    free = ~ground
    order = np.lexsort((-counts, free))[:_COLOURS_MAX]
    low, high = (np.searchsorted(colours[:, 0], colours[order, 0] + off) for off in (-limit, limit + 1))
    for first, start, stop in zip(order, low, high, strict=True):
        if free[first] or ground[first]:
            place = slice(start, stop)
            near = free[place] & (np.abs(colours[place] - colours[first]).max(1) <= limit)
            merged[place][near] = colours[first]
            free[place][near] = False
    return merged

"""Where a picture is drawn, as text and interfaces are, and not photographed.

Differences of neighbouring pixels in photographs have about a Laplace distribution. Where it is drawn there are few and
large ones: their entropy is far below that of a Laplace distribution of the same mean. An eighth of the rows is looked
at, in blocks of 64 x 64. Where hardly any pixel of the whole picture differs from its neighbours, as in a flag, it is
drawn as well, though its blocks have too few edges to tell.
"""

import math

import numpy as np

from ..arrays import Floats, Samples
from ..format.blocks import BLOCK, blocks_of
from ..format.exact import Map

_GREEN = 1
_DIFFERENCES = np.arange(-255, 256)
_NONE = 255  # where no difference has its place in a histogram of these
_ROWS = np.array([0, 5, 2, 7, 4, 1, 6, 3])  # of each eight the row that is looked at: no pattern hides from all of them
_LEAST_MEAN = 0.5
_FEWER_BITS = 3.0  # hardly any block of a photograph is so far below
_NEARLY_ALL = 0.95  # photographs have up to 0.91


def drawn_blocks(rgb: Samples) -> Map:
    """Which blocks [rows, columns] of a picture [H, W, 3] look drawn; flat ones do only where nearly all are flat."""
    height, width, _ = rgb.shape
    blocks = blocks_of(height, width)
    rows = np.arange(0, height, len(_ROWS))
    rows = np.minimum(rows + _ROWS[np.arange(len(rows)) % len(_ROWS)], height - 1)
    lines, above = (rgb[some, :, _GREEN].astype(np.int16) for some in (rows, np.abs(rows - 1) % height))
    histogram = np.zeros(blocks.height * blocks.width * len(_DIFFERENCES), np.int64)
    for difference, first in ((np.diff(lines, axis=1), 1), (lines - above, 0)):
        block = (rows // BLOCK * blocks.width)[:, None] + np.arange(first, width) // BLOCK
        place = block * len(_DIFFERENCES) + difference - _DIFFERENCES[0]
        histogram += np.bincount(place.ravel(), minlength=len(histogram))
    counts = histogram.reshape(*blocks, len(_DIFFERENCES)).astype(np.float32)
    if counts[..., _NONE].sum() >= _NEARLY_ALL * counts.sum():
        return np.ones(blocks, np.bool_)
    share = counts / np.maximum(counts.sum(-1, keepdims=True), 1)
    mean = share @ np.abs(_DIFFERENCES).astype(np.float32)
    drawn: Map = _laplace_bits(mean) - _entropy(share) > _FEWER_BITS
    return drawn


def _entropy(share: Floats) -> Floats:
    """In bits, of distributions along the last axis."""
    bits: Floats = -(share * np.log2(np.where(share > 0, share, 1))).sum(-1)
    return bits


def _laplace_bits(mean: Floats) -> Floats:
    """The entropy of a Laplace distribution whose magnitudes have that mean, in bits; it is that of a fine grid."""
    bits: Floats = np.log2(2 * math.e * np.maximum(mean, _LEAST_MEAN))
    return bits

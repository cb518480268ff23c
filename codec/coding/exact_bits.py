"""An estimate of what each 16 x 16 block of a picture takes in a sheet of exact samples.

A block with few colours takes the entropy of its palette, others that of what a gradient predictor leaves. Repeats are
not seen: whoever uses it scales it by the size of a real sheet.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import AnyArray, Floats, Samples
from ..format.exact import SIDE, Map
from ..picture.samples import colour_codes, pad

_PIXELS = SIDE * SIDE
_COLOUR_BITS = 8.0  # of a further colour, as others use it, too
_DRAWN_BITS = 2.0 * _PIXELS


@dataclass(frozen=True)
class Estimate:
    """Bits of each block [rows, columns], and whether its palette is short enough for it to be drawn."""

    bits: Floats
    drawn: Map


def estimate_exact_bits(rgb: Samples) -> Estimate:
    """The estimate for a picture [H, W, 3]."""
    padded = pad(rgb, SIDE)
    palette = _palette_bits(padded)
    return Estimate(np.minimum(palette, _residual_bits(padded)), palette < _DRAWN_BITS)


def _palette_bits(rgb: Samples) -> Floats:
    """Entropy of the colours of each block, and its palette."""
    colours = np.sort(_blocks(colour_codes(rgb)), axis=-1)
    starts = np.ones(colours.shape, np.bool_)
    starts[..., 1:] = colours[..., 1:] != colours[..., :-1]
    first = np.flatnonzero(starts)
    lengths = np.diff(first, append=starts.size)
    blocks = starts[..., 0].size
    known = np.bincount(first // _PIXELS, lengths * np.log2(lengths), minlength=blocks).reshape(starts.shape[:2])
    bits: Floats = _PIXELS * np.log2(_PIXELS) - known + _COLOUR_BITS * (starts.sum(-1) - 1)
    return bits.astype(np.float32)


def _residual_bits(rgb: Samples) -> Floats:
    """What a gradient predictor leaves of green, and of red and blue without green."""
    wide = rgb.astype(np.int16)
    wide[..., ::2] -= wide[..., 1:2]
    residual = np.zeros_like(wide)
    residual[1:, 1:] = np.diff(np.diff(wide, axis=0), axis=1)
    bits = np.log2(1 + 2 * np.abs(residual).astype(np.float32)).sum(2)
    sums: Floats = _blocks(bits).sum(-1)
    return sums


def _blocks(plane: AnyArray) -> AnyArray:
    """The samples of each block: [rows, columns, 256]."""
    rows, columns = (side // SIDE for side in plane.shape)
    return plane.reshape(rows, SIDE, columns, SIDE).transpose(0, 2, 1, 3).reshape(rows, columns, _PIXELS)

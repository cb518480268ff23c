"""Arithmetic on samples: padding, the medium picture, and colours where nothing is seen."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..arrays import AnyArray, Floats, Samples

_SEEN = 16  # of 255: what is this opaque keeps its colour


def pad(rgb: Samples, multiple: int) -> Samples:
    """Replicate the lower and right edges until both sides are multiples of `multiple`."""
    height, width = rgb.shape[:2]
    return np.pad(rgb, ((0, -height % multiple), (0, -width % multiple), (0, 0)), mode="edge")


def box_average(samples: AnyArray) -> Floats:
    """The 2x2 box average [ceil(H/2), ceil(W/2), ...] of samples [H, W, ...], edges replicated, not rounded."""
    rows, columns = samples.shape[0] % 2, samples.shape[1] % 2
    even = np.pad(samples, ((0, rows), (0, columns), *((0, 0),) * (samples.ndim - 2)), mode="edge").astype(np.float32)
    average: Floats = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) * np.float32(0.25)
    return average


def half_size(samples: Samples) -> Samples:
    """The 2x2 box average of samples, rounded half up."""
    rounded: Samples = np.floor(box_average(samples) + np.float32(0.5)).astype(np.uint8)
    return rounded


def half_size_seen(rgb: Samples, alpha: Samples) -> Samples:
    """The same of colours [H, W, 3], each counting as much as its alpha [H, W]; where nothing is seen, all alike."""
    total = np.rint(4 * box_average(alpha)).astype(np.int32)[..., None]
    weighted = np.rint(4 * box_average(rgb * alpha[..., None].astype(np.uint16))).astype(np.int32)
    seen = (2 * weighted + total) // np.maximum(2 * total, 1)
    return np.where(total > 0, seen, half_size(rgb)).astype(np.uint8)


def colour_codes(rgb: Samples) -> npt.NDArray[np.uint32]:
    """Colours [..., 3] as numbers [...]: eight bits each of red, green and blue."""
    red, green, blue = np.moveaxis(rgb.astype(np.uint32), -1, 0)
    codes: npt.NDArray[np.uint32] = red << 16 | green << 8 | blue
    return codes


def double_size(plane: Samples, width: int, height: int) -> Samples:
    """One channel [ceil(height/2), ceil(width/2)], bilinearly enlarged to [height, width]."""
    rows, columns = np.arange(height), np.arange(width)
    wide = 3 * plane[:, columns // 2].astype(np.uint16) + plane[:, _beside(columns, plane.shape[1])]
    enlarged: Samples = ((3 * wide[rows // 2] + wide[_beside(rows, plane.shape[0])] + 8) >> 4).astype(np.uint8)
    return enlarged


def _beside(places: npt.NDArray[np.intp], count: int) -> npt.NDArray[np.intp]:
    """The second nearest of `count` places half as dense; at the edges the nearest."""
    beside: npt.NDArray[np.intp] = np.clip(places // 2 + np.where(places % 2, 1, -1), 0, count - 1)
    return beside


def fill_gaps(colour: Samples, gaps: npt.NDArray[np.bool_]) -> Samples:
    """Replace colours [H, W, 3] in gaps [H, W] by a smooth continuation of the others."""
    return fill_transparent(colour, np.where(gaps, 0, 255).astype(np.uint8))


def fill_transparent(colour: Samples, alpha: Samples) -> Samples:
    """Replace colours [H, W, 3] that are hardly seen, the more the lower alpha is, by a smooth continuation of others.

    That is cheaper, and keeps them out of the medium picture, where colours are averaged without regard to alpha.
    Push-pull (Gortler et al. 1996, "The Lumigraph"): averages of what is seen fill the gaps from coarse to fine.
    """
    faint = alpha < _SEEN
    if not faint.any():
        return colour
    if not alpha.any():
        return np.zeros_like(colour)
    weight = np.where(faint & ~faint.all(), 0, alpha).astype(np.float32)
    share = alpha[faint] / np.float32(_SEEN)
    filled = colour.copy()
    for channel in range(3):
        own = colour[..., channel]
        continued = _push_pull(own * weight, weight)[faint]
        filled[..., channel][faint] = np.rint(continued + share * (own[faint] - continued))
    return filled


def _push_pull(plane: Floats, weight: Floats) -> Floats:
    """Samples [H, W], already multiplied by their weights [H, W], with zero weights filled from coarser levels."""
    mean = np.divide(plane, np.maximum(weight, 1e-6), dtype=np.float32)
    if weight.min() > 0:
        return mean
    lower = Image.fromarray(_push_pull(box_average(plane), box_average(weight)))
    wide = lower.resize((weight.shape[1], weight.shape[0]), Image.Resampling.BILINEAR)
    return np.where(weight > 0, mean, np.asarray(wide))

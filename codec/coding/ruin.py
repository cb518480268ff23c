"""Whether a picture is one that the networks cannot show: dithering, noise, patterns of single pixels.

Some blocks all over the picture are looked at, half a megapixel at most. They are decoded only where neighbouring
pixels differ as much as they do in such pictures, and in few photographs.
"""

import numpy as np

from ..arrays import AnyArray, Samples
from ..errors import QualityWarning, warn
from ..format.blocks import BLOCK
from ..metrics.fidelity import psnr
from ..model.tiled import CELLS_PER_BLOCK
from ..picture.samples import pad
from .encode import Encoded, Encoder
from .fidelity import as_decoded

_SHARE, _LEAST, _MOST = 32, 6, 120
_STEP = 0.7548776662466927, 0.5698402909980532
_MARGIN = 16  # pixels of a block that see what is not beside it in the picture
_SUSPICIOUS = 200.0
_FAR_BELOW, _ALWAYS_BAD = 9.0, 25.0


def sampled_psnr(encoder: Encoder, encoded: Encoded) -> float | None:
    """PSNR in dB of some learned blocks of high; none where it cannot be low, and if high is not in the file."""
    if encoder.layers == "base" or encoded.latents is None:
        return None
    rgb = encoder.picture.seen
    if min(rgb.shape[:2]) < BLOCK:
        rgb = pad(rgb, BLOCK)
    places = _spread(rgb.shape[0] // BLOCK, rgb.shape[1] // BLOCK)
    if (split := encoded.split) is not None:
        places = [place for place in places if not _block(split.exact, CELLS_PER_BLOCK, *place).any()]
    if not places:
        return None
    originals = np.stack([_block(rgb, BLOCK, *place) for place in places])
    if _detail(originals) < _SUSPICIOUS:
        return None
    cells = encoded.latents.transpose(2, 3, 1, 0)
    side_by_side = np.concatenate([_block(cells, CELLS_PER_BLOCK, *place) for place in places], axis=1)
    decoded = encoder.model.synthesis(np.ascontiguousarray(side_by_side.transpose(3, 2, 0, 1)), encoded.quality)
    blocks = decoded.reshape(BLOCK, -1, BLOCK, 3).transpose(1, 0, 2, 3)
    middle = slice(_MARGIN, -_MARGIN)
    parts = [samples[:, middle, middle].reshape(-1, BLOCK - 2 * _MARGIN, 3) for samples in (blocks, originals)]
    return psnr(*(as_decoded(encoder, part) for part in parts))


def note_ruin(encoder: Encoder, quality: int, sampled: float | None) -> None:
    """Say with a `QualityWarning` where the PSNR is far below what photographs have at a stored quality."""
    usual = encoder.model.typical.psnr.at(quality)
    if sampled is not None and sampled < min(usual - _FAR_BELOW, _ALWAYS_BAD):
        warn(
            f"the picture is badly damaged, about {sampled:.0f} dB where photographs have {usual:.0f}; "
            "aez cannot show dithering and noise",
            QualityWarning,
        )


def _spread(rows: int, columns: int) -> list[tuple[int, int]]:
    """Blocks to look at, by row and column: all of a few, otherwise an even sequence (Roberts' R2)."""
    blocks = rows * columns
    count = min(max(blocks // _SHARE, _LEAST), _MOST)
    if count >= blocks:
        return [divmod(index, columns) for index in range(blocks)]
    steps = [((0.5 + number * _STEP[0]) % 1, (0.5 + number * _STEP[1]) % 1) for number in range(count)]
    return [(int(down * rows), int(across * columns)) for down, across in steps]


def _block(array: AnyArray, side: int, row: int, column: int) -> AnyArray:
    return array[row * side : (row + 1) * side, column * side : (column + 1) * side]


def _detail(blocks: Samples) -> float:
    """Half the mean squared difference of neighbouring samples [N, H, W, C]: the variance, if they were noise."""
    wide = blocks.astype(np.int16)
    return float(np.mean([np.square(np.diff(wide, axis=axis), dtype=np.float32).mean() for axis in (1, 2)]) / 2)

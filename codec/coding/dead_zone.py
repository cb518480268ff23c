"""The encoder's rounding of latents to symbols, rate-distortion optimised.

A symbol one nearer to zero is taken where the bits it saves outweigh the distortion it adds. Decoders do not know.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..format.entropy import Indices, Symbols
from ..format.quality import DISTORTION_WEIGHT
from ..format.tables import Table


class Quantizer:
    """Rounds residuals in units of the step size, given the scale tables that will code them."""

    def __init__(self, tables: Sequence[Table]) -> None:
        widest = max(table.half_width for table in tables) + 1
        savings = np.zeros((len(tables), widest + 1), np.float32)
        for row, table in zip(savings, tables, strict=True):
            bits = -np.log2(table.frequencies[table.half_width : -1])
            row[1 : len(bits)] = np.diff(bits)
        self._thresholds = 0.5 - savings / (2 * DISTORTION_WEIGHT)

    def __call__(self, residual: npt.NDArray[np.float32], index: Indices) -> Symbols:
        """Symbols int32 for residuals float32 of any shape and their scale indices of the same shape.

        Going from k to k - 1 costs DISTORTION_WEIGHT * (1 + 2 (|r| - k)) and saves bits(k) - bits(k - 1).
        """
        magnitude = np.abs(residual)
        rounded = np.rint(magnitude).astype(np.int32)
        some = np.nonzero(rounded)
        k, excess = rounded[some], magnitude[some] - rounded[some]
        level = np.minimum(k, self._thresholds.shape[1] - 1)
        lower = excess < -self._thresholds[index[some], level]
        rounded[some] = k - lower
        return np.negative(rounded, out=rounded, where=residual < 0)

"""Integer frequency tables for entropy coding, as they are stored with a model.

A table covers the symbols -L..L in order and then the escape symbol; its integer frequencies sum to 2^24.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PRECISION = 24
TOTAL = 1 << PRECISION
SCALES = 64
HYPER_MAX = 127
"""Largest magnitude of a hyper latent."""

Frequencies = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Table:
    """Frequencies of the symbols -half_width..half_width and of the escape symbol, int32 [2 * half_width + 2]."""

    frequencies: Frequencies

    @property
    def half_width(self) -> int:
        return len(self.frequencies) // 2 - 1

"""Integer frequency tables for entropy coding. Export makes and stores them; coders only ever read stored ones.

A table covers the symbols -L..L in order and then the escape symbol; its integer frequencies sum to 2^24.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PRECISION = 24
TOTAL = 1 << PRECISION
SCALES = 64
SCALE_MIN = 0.08
SCALE_MAX = 64.0
_SUPPORT = 4.5
_erf = np.vectorize(math.erf)

Frequencies = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Table:
    """Frequencies of the symbols -half_width..half_width and of the escape symbol, int32 [2 * half_width + 2]."""

    frequencies: Frequencies

    @property
    def half_width(self) -> int:
        return len(self.frequencies) // 2 - 1


def integer_frequencies(probabilities: npt.NDArray[np.float64]) -> Frequencies:
    """Round probabilities to integers of at least 1 that sum to 2^24; the most probable symbol takes the rest."""
    share = probabilities / probabilities.sum()
    frequencies: Frequencies = np.floor(share * (TOTAL - len(share))).astype(np.int32) + 1
    frequencies[np.argmax(frequencies)] += TOTAL - int(frequencies.sum())
    return frequencies


def scale_of_index(index: int) -> float:
    """Standard deviation of a scale index: log-spaced from 0.08 to 64."""
    return float(SCALE_MIN * (SCALE_MAX / SCALE_MIN) ** (index / (SCALES - 1)))


def gaussian_probabilities(scale: float) -> npt.NDArray[np.float64]:
    """Probabilities of a zero-mean Gaussian on unit bins, -L..L with L = ceil(4.5 scale) + 1, then both tails."""
    half_width = math.ceil(_SUPPORT * scale) + 1
    edges = np.arange(-half_width, half_width + 2) - 0.5
    cumulative = 0.5 * (1 + _erf(edges / scale / math.sqrt(2)))
    return np.append(np.diff(cumulative), 1 - cumulative[-1] + cumulative[0])

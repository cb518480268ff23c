"""How rate and fidelity of photographs usually rise with the quality."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..format.quality import KNOT_DISTANCE, KNOTS

Values = npt.NDArray[np.float64]

QUALITIES = np.arange(KNOTS) * KNOT_DISTANCE


@dataclass(frozen=True)
class Curve:
    """Typical values at the knots of the quality, and how pictures deviate from them. Mean of photographs, fast-2."""

    mean: Values
    deviation: Values

    def through(self, quality: int, value: float) -> Values:
        """The curve of a picture that has a value at a quality."""
        mean, deviation = (float(np.interp(quality, QUALITIES, part)) for part in (self.mean, self.deviation))
        moved = self.mean + (value - mean) / deviation * self.deviation
        return moved if (np.diff(moved) > 0).all() else self.mean + (value - mean)


LOG_BPP = Curve(
    np.array([-1.708, -1.480, -1.212, -0.917, -0.602, -0.286, 0.016, 0.296, 0.549]),
    np.array([0.79, 0.88, 0.97, 1.04, 1.08, 1.09, 1.08, 1.03, 0.98]),
)
PSNR = Curve(
    np.array([27.1, 28.5, 30.1, 31.9, 33.8, 35.7, 37.5, 39.2, 40.5]),
    np.array([0.99, 0.99, 0.98, 0.98, 0.97, 0.97, 0.99, 1.04, 1.13]),
)
MEDIUM_PSNR = Curve(
    np.array([28.6, 30.3, 32.1, 34.1, 36.1, 38.1, 39.9, 41.4, 42.6]),
    np.array([0.83, 0.81, 0.82, 0.84, 0.90, 1.00, 1.13, 1.29, 1.45]),
)
SSIMULACRA2 = Curve(
    np.array([-4.3, 12.1, 29.3, 43.9, 57.0, 67.7, 75.7, 81.4, 85.2]),
    np.array([1.98, 1.81, 1.62, 1.32, 0.91, 0.58, 0.36, 0.24, 0.17]),
)

"""Quality: one integer in the file, and what networks, tables and loss take from it.

Every table that depends on the quality has `KNOTS` rows, one per knot; between two knots it is interpolated.
A file stores the quality as an integer 0..`QUALITY_MAX`, so that exact arithmetic can start from it.
"""

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

Array = TypeVar("Array", bound=Any)

KNOTS = 15
KNOT_DISTANCE = 4096
QUALITY_MAX = (KNOTS - 1) * KNOT_DISTANCE
LAMBDA_MIN = 6.25e-5
LAMBDA_MAX = 2.4
SHOWN = tuple(range(0, 101, 5))
DISTORTION_WEIGHT = 60.0
"""Of the squared error, in squared steps, against bits, where latents are rounded."""


@dataclass(frozen=True)
class QualityScale:
    """What qualities mean: a model's stored ones for those that people give, 0 to 100 in steps of 5; linear between.

    Quality Q gives photographs about SSIMULACRA2 Q, from 30 to 90 as far as the model goes; 0 is the smallest file and
    100 the best picture that there is. `stored` rises from 0 to `QUALITY_MAX`.
    """

    stored: tuple[int, ...]

    def to_stored(self, quality: float) -> int:
        """The integer that a file stores for a quality of 0 to 100."""
        return round(float(np.interp(quality, SHOWN, self.stored)))

    def to_shown(self, stored: int) -> float:
        """The quality 0 to 100, to two decimals, of the integer that a file stores."""
        return round(float(np.interp(stored, self.stored, SHOWN)), 2)


def nearest_knot(stored: int) -> int:
    """Row of the tables that are not interpolated; halves go up."""
    return (stored + KNOT_DISTANCE // 2) // KNOT_DISTANCE


def knot_weights(stored: Array, knots: Array) -> Array:
    """Linear interpolation weights over the knots, summing to one.

    Args:
        stored: stored qualities, float [B, 1].
        knots: the numbers 0 to KNOTS - 1, of the same kind of array: of NumPy, or of PyTorch.

    Returns:
        [B, KNOTS]; exact, since they are multiples of 1 / KNOT_DISTANCE.
    """
    weights: Array = (1 - abs(stored / KNOT_DISTANCE - knots)).clip(0)
    return weights


def interpolate_exactly(table: npt.NDArray[np.int32], stored: int) -> npt.NDArray[np.int32]:
    """Interpolate an integer table [KNOTS, ...] at a stored quality in integer arithmetic, halves going up."""
    knot = min(stored // KNOT_DISTANCE, KNOTS - 2)
    fraction = stored - knot * KNOT_DISTANCE
    mixed = table[knot] * (KNOT_DISTANCE - fraction) + table[knot + 1] * fraction
    rounded: npt.NDArray[np.int32] = (mixed + KNOT_DISTANCE // 2) // KNOT_DISTANCE
    return rounded


def rate_distortion_lambda(stored: Any) -> Any:
    """Weight of the distortion (MSE in units of 255^2) against the rate (bits per pixel), for numbers or arrays."""
    return LAMBDA_MIN * (LAMBDA_MAX / LAMBDA_MIN) ** (stored / QUALITY_MAX)

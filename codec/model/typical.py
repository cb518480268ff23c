"""How rate and fidelity of photographs usually rise with the quality, measured when a model is exported."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..format.quality import KNOT_DISTANCE, KNOTS

Values = npt.NDArray[np.float64]

QUALITIES = np.arange(KNOTS) * KNOT_DISTANCE


@dataclass(frozen=True)
class Curve:
    """Mean values at the knots of the quality, rising, and how pictures deviate from them, [KNOTS] each."""

    mean: Values
    deviation: Values

    def at(self, quality: int) -> float:
        """The mean at a stored quality."""
        return float(np.interp(quality, QUALITIES, self.mean))

    def through(self, quality: int, value: float) -> Values:
        """The curve of a picture that has a value at a stored quality."""
        above = value - self.at(quality)
        moved = self.mean + above / float(np.interp(quality, QUALITIES, self.deviation)) * self.deviation
        return moved if (np.diff(moved) > 0).all() else self.mean + above


@dataclass(frozen=True)
class Typical:
    """Curves of ln(bits per pixel), of PSNR in dB of both resolutions, and of SSIMULACRA2 of the high one."""

    log_bpp: Curve
    psnr: Curve
    medium_psnr: Curve
    ssimulacra2: Curve

    def error_price(self, quality: int) -> float:
        """What photographs pay at a stored quality for less error: bits per pixel for a unit of 255^2 times the MSE."""
        bpp, mse = np.exp(self.log_bpp.mean), 255**2 * 10 ** (-self.psnr.mean / 10)
        slope = -np.gradient(bpp) / np.gradient(mse)
        return float(np.exp(np.interp(quality, QUALITIES, np.log(slope))))

"""How samples mean colours where no ICC profile says it: chunks of PNG, code points of AVIF, HEIF and PNG."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Primaries = tuple[float, float, float, float, float, float, float, float]
"""Chromaticities x, y of white, red, green and blue."""

_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
_SRGB: Primaries = (*_D65, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
_PRIMARIES: dict[int, Primaries] = {
    4: (*_C, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    8: (*_C, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    10: (1 / 3, 1 / 3, 1, 0, 0, 1, 0, 0),
    11: (*_DCI, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    22: (*_D65, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077),
}
_EXPONENTS = {4: 2.2, 5: 2.8, 8: 1.0}
_HDR = {16: "PQ", 18: "HLG"}
_NEAR = 0.005
_USUAL_GAMMA, _GAMMA_NEAR = 1 / 2.2, 0.015


@dataclass(frozen=True)
class Colour:
    """Chromaticities; the exponent from samples to light, or none for the curve of sRGB; HDR has a name instead."""

    primaries: Primaries = _SRGB
    exponent: float | None = None
    hdr: str = ""

    @property
    def has_srgb_primaries(self) -> bool:
        """Whether they differ from those of sRGB by no more than rounding."""
        return all(abs(mine - its) < _NEAR for mine, its in zip(self.primaries, _SRGB, strict=True))


def colour_of_code_points(primaries: int, transfer: int) -> Colour:
    """What the numbers of ITU-T H.273 mean; those without a meaning, and the curves of video, count as sRGB's."""
    return Colour(_PRIMARIES.get(primaries, _SRGB), _EXPONENTS.get(transfer), _HDR.get(transfer, ""))


def colour_of_chromaticities(numbers: Sequence[float]) -> Colour | None:
    """With the curve of sRGB, if these are x and y of white, red, green and blue."""
    match numbers:
        case [wx, wy, rx, ry, gx, gy, bx, by]:
            return Colour((wx, wy, rx, ry, gx, gy, bx, by))
    return None


def colour_of_chunks(info: Mapping[Any, Any]) -> Colour:
    """What the chunks sRGB, gAMA and cHRM of a PNG file say, by the `info` of its Pillow image.

    The usual gamma of 1/2.2 is what writers give for the curve of sRGB.
    """
    if isinstance(info.get("srgb"), int):
        return Colour()
    gamma, primaries = info.get("gamma"), info.get("chromaticity")
    is_usual = not isinstance(gamma, float) or abs(gamma / _USUAL_GAMMA - 1) < _GAMMA_NEAR
    exponent = None if is_usual else 1 / gamma if gamma else math.inf
    declared = colour_of_chromaticities(primaries) if isinstance(primaries, tuple) else None
    return Colour(declared.primaries if declared else _SRGB, exponent)

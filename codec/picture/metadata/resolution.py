"""Pixels per inch, which JPEG, PNG and others say outside of EXIF."""

import numbers
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

_UNKNOWN = Fraction(72)
_SMALLEST, _LARGEST = 1, 65_535
_HALF_A_PIXEL_PER_METRE = 0.0127


def given_resolution(info: Mapping[Any, Any]) -> tuple[Fraction, Fraction] | None:
    """Pixels per inch across and down from a Pillow image's `info`; 72 is what is written where nothing is known."""
    match info.get("dpi"):
        case (numbers.Real() as across, numbers.Real() as down):
            said = float(across), float(down)
            found = (_exact(said[0]), _exact(said[1])) if is_possible(said) else None
            return None if found == (_UNKNOWN, _UNKNOWN) else found
    return None


def is_possible(resolution: tuple[float, float]) -> bool:
    """Whether these can be pixels per inch, and be written in any format."""
    return all(_SMALLEST < number <= _LARGEST for number in resolution)


def _exact(number: float) -> Fraction:
    """PNG counts whole pixels per metre, and what was meant is mostly a whole number per inch."""
    near = abs(number - round(number)) <= _HALF_A_PIXEL_PER_METRE
    return Fraction(round(number)) if near else Fraction(number).limit_denominator(1000)

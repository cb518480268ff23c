"""From what is wanted, bytes or PSNR, to the quality that gives it.

Pictures differ in one number, mostly: their curves over the quality, of log rate or of PSNR, are the typical curve
plus so many times the typical deviation from it. So the search starts on the typical curve, takes the picture's own
one through the first measurement, and then interpolates between measurements: three encodings are usual.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from ..errors import AezError, AezWarning
from ..format.quality import KNOT_DISTANCE, KNOTS, QUALITY_MAX
from .encode import Encoded, Encoder
from .fidelity import high_psnr, medium_psnr

Measure = Literal["size", "bpp", "psnr", "medium-psnr"]

Values = npt.NDArray[np.float64]

_QUALITIES = np.arange(KNOTS) * KNOT_DISTANCE
_RELATIVE_TOLERANCE = 0.01
_PSNR_TOLERANCE = 0.05
_SMOOTH, _ENOUGH = 5, 12
_NOT_AT_THE_ENDS = slice(2, -2)


class TargetError(AezError):
    """No quality reaches the target."""


@dataclass(frozen=True)
class Target:
    """What a file should have: "size" in bytes, never exceeded, "bpp", or "psnr" or "medium-psnr" in dB.

    Sizes and rates are met within 1 %, PSNRs within 0.05 dB.

    Raises:
        ValueError: there is no such measure, or the value is not a positive number.

    Example:
        >>> data = aez.encode(Image.open("img.png"), aez.Target("psnr", 34))
        >>> aez.info(data).quality < 100
        True
    """

    measure: Measure
    value: float

    def __post_init__(self) -> None:
        if self.measure not in get_args(Measure):
            raise ValueError(f"a target is one of {', '.join(get_args(Measure))}, not {self.measure!r}")
        if not 0 < self.value < math.inf:
            raise ValueError(f"{self.measure} must be a positive number, not {self.value:g}")

    def __str__(self) -> str:
        return self.shown(self.value)

    def shown(self, value: float) -> str:
        """A value of this measure with its unit."""
        if self.measure == "size":
            return f"{value:.0f} bytes"
        return f"{value:.3f} bpp" if self.measure == "bpp" else f"{value:.2f} dB"


@dataclass(frozen=True)
class _Curve:
    """Typical values at the knots of the quality, and how pictures deviate from them. Mean of photographs, fast-2."""

    mean: Values
    deviation: Values

    def through(self, quality: int, value: float) -> Values:
        """The curve of a picture that has a value at a quality."""
        mean, deviation = (float(np.interp(quality, _QUALITIES, part)) for part in (self.mean, self.deviation))
        moved = self.mean + (value - mean) / deviation * self.deviation
        return moved if (np.diff(moved) > 0).all() else self.mean + (value - mean)


_LOG_BPP = _Curve(
    np.array([-1.708, -1.480, -1.212, -0.917, -0.602, -0.286, 0.016, 0.296, 0.549]),
    np.array([0.79, 0.88, 0.97, 1.04, 1.08, 1.09, 1.08, 1.03, 0.98]),
)
_PSNR = _Curve(
    np.array([27.1, 28.5, 30.1, 31.9, 33.8, 35.7, 37.5, 39.2, 40.5]),
    np.array([0.99, 0.99, 0.98, 0.98, 0.97, 0.97, 0.99, 1.04, 1.13]),
)
_MEDIUM_PSNR = _Curve(
    np.array([28.6, 30.3, 32.1, 34.1, 36.1, 38.1, 39.9, 41.4, 42.6]),
    np.array([0.83, 0.81, 0.82, 0.84, 0.90, 1.00, 1.13, 1.29, 1.45]),
)


@dataclass(frozen=True)
class _Goal:
    """A target as the search sees it: where to aim, what will do, the typical curve, and how to show a value."""

    lowest: float
    aim: float
    highest: float
    typical: _Curve
    value: Callable[[Encoded], float]
    shown: Callable[[float], float]

    def met(self, value: float) -> bool:
        return self.lowest <= value <= self.highest


@dataclass(frozen=True)
class _Trial:
    """A file, the quality integer that it stores, and its value."""

    data: bytes
    quality: int
    value: float


def reach(target: Target, encoder: Encoder) -> bytes:
    """The file that meets the target.

    Sizes of tiny pictures jump; then the nearest one below is taken, with an `AezWarning`.

    Raises:
        TargetError: no quality reaches it; the message says what the nearest ones give.
    """
    goal = _goal(target, encoder)
    trials = _search(goal, encoder, _first_quality(goal, encoder))
    if goal.met(trials[-1].value):
        return trials[-1].data
    below = max((trial for trial in trials if trial.value < goal.lowest), key=lambda trial: trial.value, default=None)
    above = min((trial for trial in trials if trial.value > goal.highest), key=lambda trial: trial.value, default=None)
    if below and above and target.measure == "size":
        warnings.warn(f"no size is nearer to {target} than {len(below.data)} bytes", AezWarning, stacklevel=3)
        return below.data
    nearest = " and ".join(target.shown(goal.shown(trial.value)) for trial in (below, above) if trial)
    ends = "the lowest quality gives" if not below else "the highest quality gives" if not above else "the nearest are"
    raise TargetError(f"{target} cannot be reached: {ends} {nearest}")


def _search(goal: _Goal, encoder: Encoder, quality: int) -> list[_Trial]:
    """Encode from a quality on until the goal is met, by the last trial, or cannot be."""
    trials: list[_Trial] = []
    low, high = 0, QUALITY_MAX
    while low <= high and (len(trials) < _ENOUGH or all(trial.value > goal.highest for trial in trials)):
        if trials:
            quality = _next_quality(goal, trials, low, high)
        encoded = encoder.encode(quality)
        value = goal.value(encoded)
        trials.append(_Trial(encoded.data, quality, value))
        if goal.met(value):
            break
        low, high = (quality + 1, high) if value < goal.lowest else (low, quality - 1)
    return trials


def _first_quality(goal: _Goal, encoder: Encoder) -> int:
    """Where to start: where the typical curve has the aim; with effort, which is slow, where one without it ends."""
    typical = round(float(np.interp(goal.aim, goal.typical.mean[_NOT_AT_THE_ENDS], _QUALITIES[_NOT_AT_THE_ENDS])))
    if not encoder.effort:
        return typical
    trials = _search(goal, encoder.without_effort(), typical)
    return min(trials, key=lambda trial: abs(trial.value - goal.aim)).quality


def _goal(target: Target, encoder: Encoder) -> _Goal:
    if target.measure == "psnr":
        return _psnr_goal(target.value, _PSNR, partial(high_psnr, encoder))
    if target.measure == "medium-psnr":
        return _psnr_goal(target.value, _MEDIUM_PSNR, partial(medium_psnr, encoder))
    pixels = encoder.picture.rgb.size // 3
    per_byte = 8 / pixels if target.measure == "bpp" else 1
    above = 0 if target.measure == "size" else math.log(1 + _RELATIVE_TOLERANCE)
    below = math.log(1 - _RELATIVE_TOLERANCE)
    return _Goal(
        lowest=math.log(target.value) + below,
        aim=math.log(target.value) + (above + below) / 2,
        highest=math.log(target.value) + above,
        typical=_Curve(_LOG_BPP.mean + math.log(per_byte * pixels / 8), _LOG_BPP.deviation),
        value=lambda encoded: math.log(per_byte * len(encoded.data)),
        shown=math.exp,
    )


def _psnr_goal(wanted: float, typical: _Curve, value: Callable[[Encoded], float]) -> _Goal:
    return _Goal(wanted - _PSNR_TOLERANCE, wanted, wanted + _PSNR_TOLERANCE, typical, value, float)


def _next_quality(goal: _Goal, trials: list[_Trial], low: int, high: int) -> int:
    """Where to try next, `low` to `high`: where the trials so far let expect the aim."""
    if len(trials) > _SMOOTH:
        return (low + high) // 2
    curve = goal.typical.through(trials[0].quality, trials[0].value)
    place = goal.aim
    if len(trials) > 1:
        distinct = {trial.value: float(np.interp(trial.quality, _QUALITIES, curve)) for trial in trials}
        nearest = sorted(distinct, key=lambda value: abs(value - goal.aim))[:3]
        place = _interpolate({value: distinct[value] for value in nearest}, goal.aim)
    quality = round(float(np.interp(place, curve, _QUALITIES)))
    if low <= quality <= high:
        return quality
    return (low + high) // 2 if low > 0 and high < QUALITY_MAX else min(max(quality, low), high)


def _interpolate(places: dict[float, float], value: float) -> float:
    """The place of a value, by the polynomial through the known ones (Lagrange)."""
    found = 0.0
    for known, place in places.items():
        found += place * math.prod((value - other) / (known - other) for other in places if other != known)
    return found

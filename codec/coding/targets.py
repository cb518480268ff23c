"""From what is wanted, bytes or fidelity, to the quality that gives it.

Pictures differ in one number, mostly: their curves over the quality, of log rate or of fidelity, are the typical curve
plus so many times the typical deviation from it. So the search starts on the typical curve, takes the picture's own
one through the first measurement, and then interpolates between measurements: three encodings are usual.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, get_args

import numpy as np

from ..errors import AezError, warn
from ..format.quality import QUALITY_MAX
from ..model.typical import QUALITIES, Curve
from .encode import Encoded, Encoder
from .fidelity import high_psnr, high_ssimulacra2, medium_psnr
from .ruin import note_ruin, sampled_psnr

Measure = Literal["size", "bpp", "psnr", "medium-psnr", "ssimulacra2"]

_RELATIVE_TOLERANCE = 0.01
_PSNR_TOLERANCE = 0.05
_SSIMULACRA2_TOLERANCE = 0.5
_SMOOTH, _ENOUGH = 5, 12
_NOT_AT_THE_ENDS = slice(2, -2)


class TargetError(AezError):
    """No quality reaches the target."""


@dataclass(frozen=True)
class Target:
    """What a file should have: "size" in bytes, never exceeded, "bpp", "psnr" or "medium-psnr" in dB, "ssimulacra2".

    Sizes and rates are met within 1 %, PSNRs within 0.05 dB, SSIMULACRA2 (needs aez[compare]) within 0.5.

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
        if self.measure == "ssimulacra2":
            return f"SSIMULACRA2 {value:.2f}"
        return f"{value:.3f} bpp" if self.measure == "bpp" else f"{value:.2f} dB"


@dataclass(frozen=True)
class _Goal:
    """A target as the search sees it: where to aim, what will do, the typical curve, and how to show a value."""

    lowest: float
    aim: float
    highest: float
    typical: Curve
    value: Callable[[Encoded], float]
    shown: Callable[[float], float]

    def met(self, value: float) -> bool:
        return self.lowest <= value <= self.highest


@dataclass(frozen=True)
class _Trial:
    """A file, its quality integer, its value, how much is exact, and, where it meets the goal, samples' PSNR."""

    data: bytes
    quality: int
    value: float
    exact: Literal["none", "some", "all"]
    sampled_psnr: float | None


def reach(target: Target, encoder: Encoder, earlier: Sequence[_Trial] = ()) -> bytes:
    """The file that meets the target.

    Sizes jump where blocks become exact. Then the networks alone may meet the target, and a better file that is no
    larger will do, even if it is smaller. Those of tiny pictures jump, too; there the nearest one below is taken, with
    an `AezWarning`.

    Args:
        target: what is wanted.
        encoder: of the picture.
        earlier: what was tried with exact blocks, where it is now the turn of the networks alone.

    Raises:
        TargetError: no quality reaches it; the message says what the nearest ones give.
    """
    goal = _goal(target, encoder)
    trials = _search(goal, encoder, _first_quality(goal, encoder))
    last = trials[-1]
    if goal.met(last.value):
        note_ruin(encoder, last.quality, last.sampled_psnr)
        return last.data
    if any(trial.exact != "none" for trial in trials):
        return _beside_a_jump(target, goal, encoder, trials)
    trials = [*earlier, *trials]
    below = max((trial for trial in trials if trial.value < goal.lowest), key=lambda trial: trial.value, default=None)
    above = min((trial for trial in trials if trial.value > goal.highest), key=lambda trial: trial.value, default=None)
    if below and above and target.measure == "size":
        warn(f"no size is nearer to {target} than {len(below.data)} bytes")
        return below.data
    nearest = " and ".join(target.shown(goal.shown(trial.value)) for trial in (below, above) if trial)
    ends = "the lowest quality gives" if not below else "the highest quality gives" if not above else "the nearest are"
    if any(trial.exact != "none" for trial in trials):  # qualities between may give something else
        ends = "the nearest that was found is" if not (below and above) else "the nearest that were found are"
    raise TargetError(f"{target} cannot be reached: {ends} {nearest}")


def _beside_a_jump(target: Target, goal: _Goal, encoder: Encoder, trials: list[_Trial]) -> bytes:
    """A file without exact blocks that meets the target, or one with them that is better and no larger."""
    if target.measure in ("size", "bpp"):
        fitting = [trial for trial in trials if trial.exact != "none" and trial.value <= goal.highest]
        if not fitting:
            return reach(target, encoder.learned(), trials)
        below = max(fitting, key=lambda trial: trial.quality)
        return below.data if below.exact == "all" else _better(goal, encoder, below)
    better = [trial.data for trial in trials if trial.value > goal.highest]
    try:
        better.append(reach(target, encoder.learned(), trials))
    except TargetError:
        if not better:
            raise
    return min(better, key=len)


def _better(goal: _Goal, encoder: Encoder, below: _Trial) -> bytes:
    """The file of the networks alone that meets the goal, or a smaller one with exact blocks if its PSNR is higher."""
    alone = encoder.learned()
    last = _search(goal, alone, below.quality)[-1]
    measured = medium_psnr if encoder.layers == "base" else high_psnr
    tried = measured(encoder, encoder.encode(below.quality))
    if not goal.met(last.value) or measured(alone, alone.encode(last.quality)) <= tried:
        return below.data
    note_ruin(alone, last.quality, last.sampled_psnr)
    return last.data


def _search(goal: _Goal, encoder: Encoder, quality: int) -> list[_Trial]:
    """Encode from a quality on until the goal is met, by the last trial, or cannot be."""
    trials: list[_Trial] = []
    low, high = 0, QUALITY_MAX
    while low <= high and (len(trials) < _ENOUGH or all(trial.value > goal.highest for trial in trials)):
        if trials:
            quality = _next_quality(goal, trials, low, high)
        encoded = encoder.encode(quality)
        value = goal.value(encoded)
        met = goal.met(value)
        sampled = sampled_psnr(encoder, encoded) if met else None
        trials.append(_Trial(encoded.data, quality, value, encoded.exactness, sampled))
        if met:
            break
        low, high = (quality + 1, high) if value < goal.lowest else (low, quality - 1)
    return trials


def _first_quality(goal: _Goal, encoder: Encoder) -> int:
    """Where to start: where the typical curve has the aim; with effort, which is slow, where one without it ends."""
    typical = round(float(np.interp(goal.aim, goal.typical.mean[_NOT_AT_THE_ENDS], QUALITIES[_NOT_AT_THE_ENDS])))
    if not encoder.effort:
        return typical
    trials = _search(goal, encoder.without_effort(), typical)
    return min(trials, key=lambda trial: abs(trial.value - goal.aim)).quality


def _goal(target: Target, encoder: Encoder) -> _Goal:
    typical = encoder.model.typical
    if target.measure == "psnr":
        return _fidelity_goal(target.value, _PSNR_TOLERANCE, typical.psnr, partial(high_psnr, encoder))
    if target.measure == "medium-psnr":
        return _fidelity_goal(target.value, _PSNR_TOLERANCE, typical.medium_psnr, partial(medium_psnr, encoder))
    if target.measure == "ssimulacra2":
        value = partial(high_ssimulacra2, encoder)
        return _fidelity_goal(target.value, _SSIMULACRA2_TOLERANCE, typical.ssimulacra2, value)
    pixels = encoder.picture.seen.size // 3
    per_byte = 8 / pixels if target.measure == "bpp" else 1
    above = 0 if target.measure == "size" else math.log(1 + _RELATIVE_TOLERANCE)
    below = math.log(1 - _RELATIVE_TOLERANCE)
    return _Goal(
        lowest=math.log(target.value) + below,
        aim=math.log(target.value) + (above + below) / 2,
        highest=math.log(target.value) + above,
        typical=Curve(typical.log_bpp.mean + math.log(per_byte * pixels / 8), typical.log_bpp.deviation),
        value=lambda encoded: math.log(per_byte * len(encoded.data)),
        shown=math.exp,
    )


def _fidelity_goal(wanted: float, tolerance: float, typical: Curve, value: Callable[[Encoded], float]) -> _Goal:
    return _Goal(wanted - tolerance, wanted, wanted + tolerance, typical, value, float)


def _next_quality(goal: _Goal, trials: list[_Trial], low: int, high: int) -> int:
    """Where to try next, `low` to `high`: where the trials so far let expect the aim."""
    if len(trials) > _SMOOTH:
        return (low + high) // 2
    curve = goal.typical.through(trials[0].quality, trials[0].value)
    place = goal.aim
    if len(trials) > 1:
        distinct = {trial.value: float(np.interp(trial.quality, QUALITIES, curve)) for trial in trials}
        nearest = sorted(distinct, key=lambda value: abs(value - goal.aim))[:3]
        place = _interpolate({value: distinct[value] for value in nearest}, goal.aim)
    quality = round(float(np.interp(place, curve, QUALITIES)))
    if low <= quality <= high:
        return quality
    return (low + high) // 2 if low > 0 and high < QUALITY_MAX else min(max(quality, low), high)


def _interpolate(places: dict[float, float], value: float) -> float:
    """The place of a value, by the polynomial through the known ones (Lagrange)."""
    found = 0.0
    for known, place in places.items():
        found += place * math.prod((value - other) / (known - other) for other in places if other != known)
    return found

"""Curves of rate and fidelity, and how codecs are compared by them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True)
class Measure:
    """A measure of fidelity that rises with quality, and the range over which codecs are compared by it.

    `span_min`: what curves must have in common of that range.
    """

    name: str
    unit: str
    bd_range: tuple[float, float]
    span_min: float

    def text(self, fidelity: float) -> str:
        """A value with its name and unit."""
        return f"{self.name} {fidelity:.1f}{self.unit}"


Metric = Literal["psnr", "ssimulacra2"]
MEASURES: dict[Metric, Measure] = {
    "psnr": Measure("PSNR", " dB", (29.0, 39.0), 2.0),
    "ssimulacra2": Measure("SSIMULACRA2", "", (30.0, 85.0), 10.0),
}


@dataclass(frozen=True)
class Point:
    """A codec at one quality: bits per pixel, and its fidelity by some measure."""

    quality: float
    bpp: float
    fidelity: float


def mean_curve(curves: Sequence[Sequence[Point]]) -> list[Point]:
    """The mean of rate and fidelity at each quality, over curves of equal qualities."""
    return [
        Point(points[0].quality, float(np.mean([p.bpp for p in points])), float(np.mean([p.fidelity for p in points])))
        for points in zip(*curves, strict=True)
    ]


def common_range(curves: Sequence[Sequence[Point]], metric: Metric = "psnr") -> tuple[float, float] | None:
    """The range of a measure, or as much of it as the curves span; none if that is too little."""
    measure = MEASURES[metric]
    low = max([measure.bd_range[0], *(min(point.fidelity for point in curve) for curve in curves)])
    high = min([measure.bd_range[1], *(max(point.fidelity for point in curve) for curve in curves)])
    return (low, high) if high - low >= measure.span_min else None


def bd_rate(anchor: Sequence[Point], curve: Sequence[Point], within: tuple[float, float]) -> float | None:
    """BD-rate (Bjontegaard 2001) in percent against the anchor, Akima, over a range of fidelity to which both are cut.

    None where a curve does not span the range.

    Raises:
        ImportError: the package `bjontegaard` is missing (aez[compare]).
    """
    import bjontegaard

    sides = []
    for points in (anchor, curve):
        cut = _cut(points, within)
        if cut is None:
            return None
        sides += [[point.bpp for point in cut], [point.fidelity for point in cut]]
    return float(bjontegaard.bd_rate(*sides, "akima", require_matching_points=False))


def _cut(points: Sequence[Point], within: tuple[float, float]) -> list[Point] | None:
    """The part of a curve within a range of fidelity, its ends interpolated (Akima, log rate over fidelity)."""
    from scipy.interpolate import Akima1DInterpolator

    ordered = rising(points)
    low, high = within
    if len(ordered) < 3 or ordered[0].fidelity > low or ordered[-1].fidelity < high:
        return None
    log_rate = Akima1DInterpolator([p.fidelity for p in ordered], np.log([p.bpp for p in ordered]))
    ends = [Point(math.nan, float(np.exp(log_rate(end))), end) for end in within]
    return [ends[0], *(point for point in ordered if low < point.fidelity < high), ends[1]]


def bpp_at(points: Sequence[Point], wanted: float) -> float | None:
    """The rate at a fidelity, linear between neighbours in log rate; none beyond the curve."""
    ordered = rising(points)
    if not ordered[0].fidelity <= wanted <= ordered[-1].fidelity:
        return None
    return math.exp(float(np.interp(wanted, [p.fidelity for p in ordered], np.log([p.bpp for p in ordered]))))


def rising(points: Sequence[Point]) -> list[Point]:
    """A curve by rising fidelity, without points that another one beats in both rate and fidelity."""
    rising: list[Point] = []
    for point in sorted(points, key=lambda point: (point.bpp, -point.fidelity)):
        if not rising or point.fidelity > rising[-1].fidelity:
            rising.append(point)
    return rising

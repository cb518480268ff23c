"""Figures of quality and rate, as the field defines them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import Floats
from .picture.samples import box_average

BD_RANGE = (29.0, 39.0)
_BD_LEAST_DB = 2.0
MSE_MIN = 1e-9

_MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_MS_SSIM_SIDE_MIN = 176
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


@dataclass(frozen=True)
class Point:
    """A codec at one quality: bits per pixel, and PSNR in dB."""

    quality: float
    bpp: float
    psnr: float


def psnr(samples: Any, expected: Any) -> float:
    """PSNR in dB over all samples of two pictures or arrays, 255 being the peak; equal ones have 138 dB."""
    error = np.subtract(samples, expected, dtype=np.float32)
    rows = error.reshape(len(error), -1)
    return psnr_of(float(np.einsum("ij,ij->i", rows, rows).sum(dtype=np.float64)) / error.size)


def psnr_of(mse: float) -> float:
    """PSNR in dB of a mean squared error in units of 255^2."""
    return 10 * math.log10(255**2 / max(mse, MSE_MIN))


def ms_ssim(samples: npt.NDArray[Any], expected: npt.NDArray[Any]) -> float | None:
    """MS-SSIM (Wang, Simoncelli, Bovik 2003) of samples [H, W] or [H, W, C] from 0 to 255, mean over the channels.

    None where a side has less than 176 samples: the window of 11 does not fit into the last of five scales.
    """
    height, width = samples.shape[:2]
    if min(height, width) < _MS_SSIM_SIDE_MIN:
        return None
    pairs = zip(_channels(samples), _channels(expected), strict=True)
    return float(np.mean([_ms_ssim_of_plane(ours, theirs) for ours, theirs in pairs]))


def _channels(samples: npt.NDArray[Any]) -> list[Floats]:
    deep = samples.reshape(*samples.shape[:2], -1)
    return [deep[..., channel].astype(np.float32) for channel in range(deep.shape[2])]


def _ms_ssim_of_plane(ours: Floats, theirs: Floats) -> float:
    product = 1.0
    for scale, weight in enumerate(_MS_SSIM_WEIGHTS):
        if scale:
            ours, theirs = box_average(ours), box_average(theirs)
        luminance, contrast = _ssim_terms(ours, theirs)
        last = scale == len(_MS_SSIM_WEIGHTS) - 1
        mean = float((luminance * contrast if last else contrast).mean())
        product *= max(mean, 0) ** weight
    return product


def _ssim_terms(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """The luminance term, and contrast times structure, at every place where the window fits."""
    mean_a, mean_b = _blur(a), _blur(b)
    squares, product = mean_a * mean_a + mean_b * mean_b, mean_a * mean_b
    variances = _blur(a * a + b * b) - squares
    covariance = _blur(a * b) - product
    luminance = np.divide(2 * product + _C1, squares + _C1, dtype=np.float32)
    return luminance, np.divide(2 * covariance + _C2, variances + _C2, dtype=np.float32)


def _blur(planes: Floats) -> Floats:
    taps = np.exp(-0.5 * (np.arange(_WINDOW) - _WINDOW // 2) ** 2 / _SIGMA**2)
    taps = (taps / taps.sum()).astype(np.float32)
    rows, columns = planes.shape[0] - _WINDOW + 1, planes.shape[1] - _WINDOW + 1
    down: Floats = sum(planes[i : i + rows] * tap for i, tap in enumerate(taps))
    across: Floats = sum(down[:, i : i + columns] * tap for i, tap in enumerate(taps))
    return across


def mean_curve(curves: Sequence[Sequence[Point]]) -> list[Point]:
    """The mean of bpp and PSNR at each quality, over curves of equal qualities."""
    return [
        Point(points[0].quality, float(np.mean([p.bpp for p in points])), float(np.mean([p.psnr for p in points])))
        for points in zip(*curves, strict=True)
    ]


def common_range(curves: Sequence[Sequence[Point]]) -> tuple[float, float] | None:
    """`BD_RANGE`, or as much of it as the curves span; none if that is less than 2 dB."""
    low = max([BD_RANGE[0], *(min(point.psnr for point in curve) for curve in curves)])
    high = min([BD_RANGE[1], *(max(point.psnr for point in curve) for curve in curves)])
    return (low, high) if high - low >= _BD_LEAST_DB else None


def bd_rate(anchor: Sequence[Point], curve: Sequence[Point], psnrs: tuple[float, float] = BD_RANGE) -> float | None:
    """BD-rate (Bjontegaard 2001) in percent against the anchor, Akima, over a range of PSNRs to which both are cut.

    None where a curve does not span the range.

    Raises:
        ImportError: the package `bjontegaard` is missing (aez[compare]).
    """
    import bjontegaard

    sides = []
    for points in (anchor, curve):
        cut = _cut(points, psnrs)
        if cut is None:
            return None
        sides += [[point.bpp for point in cut], [point.psnr for point in cut]]
    return float(bjontegaard.bd_rate(*sides, "akima", require_matching_points=False))


def _cut(points: Sequence[Point], psnrs: tuple[float, float]) -> list[Point] | None:
    """The part of a curve within a range of PSNRs, its ends interpolated (Akima, log rate over PSNR)."""
    from scipy.interpolate import Akima1DInterpolator

    ordered = _rising(points)
    low, high = psnrs
    if len(ordered) < 3 or ordered[0].psnr > low or ordered[-1].psnr < high:
        return None
    log_rate = Akima1DInterpolator([p.psnr for p in ordered], np.log([p.bpp for p in ordered]))
    ends = [Point(math.nan, float(np.exp(log_rate(psnr))), psnr) for psnr in psnrs]
    return [ends[0], *(point for point in ordered if low < point.psnr < high), ends[1]]


def bpp_at(points: Sequence[Point], wanted: float) -> float | None:
    """The rate at a PSNR in dB, linear between neighbours in log rate; none beyond the curve."""
    ordered = _rising(points)
    if not ordered[0].psnr <= wanted <= ordered[-1].psnr:
        return None
    return math.exp(float(np.interp(wanted, [p.psnr for p in ordered], np.log([p.bpp for p in ordered]))))


def _rising(points: Sequence[Point]) -> list[Point]:
    """A curve by rising PSNR, without points that another one beats in both rate and PSNR."""
    rising: list[Point] = []
    for point in sorted(points, key=lambda point: (point.bpp, -point.psnr)):
        if not rising or point.psnr > rising[-1].psnr:
            rising.append(point)
    return rising

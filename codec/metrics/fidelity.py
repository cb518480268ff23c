"""How near a decoded picture is to its original, as the field defines it: PSNR and MS-SSIM."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from ..arrays import Floats
from ..picture.samples import box_average

MSE_MIN = 1e-9

_MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_MS_SSIM_SIDE_MIN = 176
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2


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

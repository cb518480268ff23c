"""What qualities mean with a model: how rate and fidelity of pictures rise with the quality that a file stores."""

import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from torch import Tensor

from ..coding.encode import Encoder
from ..coding.fidelity import high_psnr, high_ssimulacra2, medium_psnr
from ..format.contents import Metadata
from ..format.quality import KNOTS, QUALITY_MAX, SHOWN, QualityScale
from ..model.model import Model
from ..model.typical import QUALITIES, Curve, Typical, Values
from ..picture.convert import Picture

FAITHFUL = 30, 90  # where quality Q means SSIMULACRA2 Q
STORED_STEP_MIN = 600
RISE_MIN, DEVIATION_MIN = 1e-3, 0.05
UNMEASURED = Typical(*[Curve(np.arange(KNOTS, dtype=float), np.ones(KNOTS))] * 4)


def measure_curves(model: Model, pictures: Iterable[Tensor]) -> Typical:
    """Encode pictures uint8 [3, H, W] at all knots of the quality; their mean curves, and how they deviate."""
    found = np.array([_measure(model, picture) for picture in pictures])
    return Typical(*(_curve(values) for values in np.moveaxis(found, 2, 0)))


def _measure(model: Model, pixels: Tensor) -> list[tuple[float, float, float, float]]:
    """Of one picture, for each knot, in the order of `Typical`."""
    rgb = pixels.permute(1, 2, 0).numpy()
    encoder = Encoder(model, Picture(rgb, None, False, Metadata()))
    rows = []
    for quality in QUALITIES.tolist():
        encoded = encoder.encode(quality)
        bpp = 8 * len(encoded.data) / (rgb.shape[0] * rgb.shape[1])
        fidelity = high_psnr(encoder, encoded), medium_psnr(encoder, encoded), high_ssimulacra2(encoder, encoded)
        rows.append((math.log(bpp), *fidelity))
    return rows


def _curve(values: Values) -> Curve:
    """The mean of [pictures, KNOTS], made to rise, and the first principal component of what pictures add to it."""
    mean = values.mean(0)
    rising = np.maximum.accumulate(mean) + RISE_MIN * np.arange(len(mean))
    if len(values) == 1:
        return Curve(rising, np.ones_like(mean))
    _, sizes, directions = np.linalg.svd(values - mean, full_matrices=False)
    deviation = directions[0] * sizes[0] / math.sqrt(len(values))
    return Curve(rising, np.maximum(deviation * np.sign(deviation.sum()), DEVIATION_MIN))


def quality_scale(ssimulacra2: Curve) -> QualityScale:
    """The table from qualities to stored ones: where the mean is Q, as far as the curve goes; straight to both ends."""
    low, high = max(FAITHFUL[0], ssimulacra2.mean[0]), min(FAITHFUL[1], ssimulacra2.mean[-1])
    reached = [quality for quality in SHOWN if low <= quality <= high]
    stored = np.interp(reached, ssimulacra2.mean, QUALITIES)
    table = np.interp(SHOWN, [0, *reached, 100], [0, *stored, QUALITY_MAX]).round().astype(np.int64)
    return QualityScale(_spaced(table))


def _spaced(table: npt.NDArray[np.int64]) -> tuple[int, ...]:
    """The table with steps large enough that two decimals of a quality come back from what is stored."""
    steps = STORED_STEP_MIN * np.arange(len(table))
    rising = np.maximum.accumulate(table - steps) + steps
    return tuple(np.minimum(rising, QUALITY_MAX - steps[::-1]).tolist())

"""One codec at one quality on one picture, and the search for the quality that gives a size or a fidelity.

Every codec gets the same samples, RGB or gray, without metadata and alpha, and all bytes of its file count. Fidelity is
that of the decoded samples.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..arrays import AnyArray
from ..errors import PictureError
from ..metrics.fidelity import ms_ssim, psnr
from ..metrics.rate_distortion import Metric
from ..metrics.ssimulacra2 import ssimulacra2
from .codecs import ImageCodec, LosslessCodec


@dataclass(frozen=True)
class Measurement:
    """One codec at one quality on one picture."""

    codec: str
    quality: float
    bytes: int
    bpp: float
    psnr: float
    ms_ssim: float | None
    ssimulacra2: float | None
    encode_seconds: float
    decode_seconds: float

    def fidelity(self, metric: Metric) -> float:
        """By a measure that was measured."""
        found = self.psnr if metric == "psnr" else self.ssimulacra2
        assert found is not None
        return found


@dataclass(frozen=True)
class LosslessMeasurement:
    """One lossless codec on one picture."""

    codec: str
    bytes: int
    encode_seconds: float
    decode_seconds: float


def measure_lossless(codec: LosslessCodec, image: Image.Image) -> LosslessMeasurement:
    """Encode and decode a picture."""
    started = time.perf_counter()
    data = codec.encode(image)
    encoded = time.perf_counter()
    codec.decode(data)
    return LosslessMeasurement(codec.name, len(data), encoded - started, time.perf_counter() - encoded)


def measure(codec: ImageCodec, image: Image.Image, quality: float, metric: Metric = "psnr") -> Measurement:
    """Encode and decode a picture. SSIMULACRA2, which takes a second a megapixel, is measured if it is the metric.

    Raises:
        AezError: the codec cannot write it.
    """
    started = time.perf_counter()
    try:
        data = codec.encode(image, quality)
    except (OSError, ValueError) as error:  # what Pillow's plugins raise
        raise PictureError(f"{codec.name} cannot write it ({error})") from error
    encoded = time.perf_counter()
    decoded = codec.decode(data).convert(image.mode)
    finished = time.perf_counter()
    ours, theirs = np.asarray(decoded), np.asarray(image)
    return Measurement(
        codec=codec.name,
        quality=quality,
        bytes=len(data),
        bpp=8 * len(data) / (image.width * image.height),
        psnr=psnr(ours, theirs),
        ms_ssim=ms_ssim(ours, theirs),
        ssimulacra2=ssimulacra2(decoded, image) if metric == "ssimulacra2" else None,
        encode_seconds=encoded - started,
        decode_seconds=finished - encoded,
    )


def _nearest(
    codec: ImageCodec, image: Image.Image, wanted: float, measured: Callable[[Measurement], float], metric: Metric
) -> Measurement:
    """What a codec gives at the quality, from 1 on, for which something that rises with it is nearest to a value."""
    low, high = 1, codec.highest
    tried: dict[int, Measurement] = {}
    while low <= high:
        quality = (low + high) // 2
        tried[quality] = measure(codec, image, quality, metric)
        low, high = (quality + 1, high) if measured(tried[quality]) < wanted else (low, quality - 1)
    return min(tried.values(), key=lambda one: abs(measured(one) - wanted))


def fidelity(metric: Metric, decoded: Image.Image, original: Image.Image, unrounded: AnyArray | None = None) -> float:
    """By a measure; PSNR is against the unrounded samples of the original, where there are such."""
    if metric == "psnr":
        return psnr(decoded, original if unrounded is None else unrounded)
    return ssimulacra2(decoded, original)


def nearest_fidelity(codec: ImageCodec, image: Image.Image, wanted: float, metric: Metric) -> Measurement:
    """What a codec gives at the quality of nearest fidelity."""
    return _nearest(codec, image, wanted, lambda one: one.fidelity(metric), metric)


def nearest_size(codec: ImageCodec, image: Image.Image, wanted: int) -> Measurement:
    """What a codec gives at the quality of nearest size."""
    return _nearest(codec, image, wanted, lambda one: one.bytes, "psnr")

"""One picture under comparison: the curves of all codecs, and what a cache would store of it.

Codecs are compared by a measure, PSNR or SSIMULACRA2; the latter is measured if it is asked for, PSNR always. PSNR of
medium is against the unrounded 2x2 box average.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from .. import api
from ..arrays import Floats
from ..errors import PictureError
from ..metrics.rate_distortion import Metric, Point, bpp_at
from ..metrics.ssimulacra2 import check_ssimulacra2
from ..picture.files.opening import plain_picture
from ..picture.samples import box_average, half_size
from .codecs import AEZ, ImageCodecs
from .measure import LosslessMeasurement, Measurement, fidelity, measure, measure_lossless, nearest_fidelity

MEANT_SIDE_MIN = 64
JPEG_FORMATS = ("JPEG", "MPO")  # MPO is what many telephones write


class TooSmallError(PictureError):
    """A picture whose headers weigh more than its samples: one would decide what a mean over pictures says."""


@dataclass(frozen=True)
class Stored:
    """One .aez file for both resolutions, and the JPEG of half the size that medium stands for, if JPEG gets there."""

    quality: float
    bytes: int
    medium_bytes: int
    fidelity: float
    medium_fidelity: float
    medium_jpeg_bytes: int | None


@dataclass(frozen=True)
class Comparison:
    """One picture: its file, all measurements, and what a cache would store, by the measure for comparing codecs."""

    name: str
    width: int
    height: int
    file_format: str
    file_bytes: int
    metric: Metric
    measurements: list[Measurement]
    lossless: list[LosslessMeasurement]
    stored: Stored

    def curve(self, codec: str, metric: Metric) -> list[Point]:
        """Rate and fidelity of a codec."""
        return [Point(s.quality, s.bpp, s.fidelity(metric)) for s in self.measurements if s.codec == codec]

    def bytes_at_equal_fidelity(self, codec: str) -> int | None:
        """What a codec needs for the fidelity of the stored .aez."""
        if codec == AEZ:
            return self.stored.bytes
        bpp = bpp_at(self.curve(codec, self.metric), self.stored.fidelity)
        return None if bpp is None else round(bpp * self.width * self.height / 8)


@dataclass(frozen=True)
class Single:
    """One picture at one quality: its file, aez, and both JPEGs of nearest fidelity."""

    name: str
    file_format: str
    file_bytes: int
    measurements: list[Measurement]


def compare(name: str, file: bytes, codecs: ImageCodecs, metric: Metric) -> Comparison:
    """Measure one picture with all codecs.

    Raises:
        TooSmallError: it would spoil a mean.
        AezError: it cannot be read, encoded or measured.
    """
    image, file_format = plain_picture(file, codecs.max_pixels)
    if min(image.size) < MEANT_SIDE_MIN:
        raise TooSmallError(f"left out: smaller than {MEANT_SIDE_MIN} x {MEANT_SIDE_MIN} pixels")
    measured = [measure(codec, image, quality, metric) for codec in codecs for quality in codec.qualities]
    exact = [measure_lossless(codec, image) for codec in codecs.lossless]
    return Comparison(name, *image.size, file_format, len(file), metric, measured, exact, _store(image, codecs, metric))


def compare_once(name: str, file: bytes, quality: float, codecs: ImageCodecs, metric: Metric) -> Single:
    """Measure one quality, and find both JPEGs of nearest fidelity.

    Raises:
        AezError: it cannot be read, encoded or measured.
    """
    image, file_format = plain_picture(file, codecs.max_pixels)
    _check_size(image, metric)
    ours = measure(codecs.aez, image, quality, metric)
    jpegs = [nearest_fidelity(jpeg, image, ours.fidelity(metric), metric) for jpeg in (codecs.jpeg, codecs.jpeg_444)]
    return Single(name, file_format, len(file), [ours, *jpegs])


def medium_of(image: Image.Image) -> tuple[Image.Image, Floats]:
    """The medium picture that an image stands for: as a codec can take it, and unrounded."""
    samples = np.asarray(image)
    return Image.fromarray(half_size(samples)), box_average(samples)


def _check_size(image: Image.Image, metric: Metric) -> None:
    if metric == "ssimulacra2":
        try:
            check_ssimulacra2(*image.size)
        except PictureError as error:
            raise PictureError(str(error), "--metric psnr does not") from error


def _store(image: Image.Image, codecs: ImageCodecs, metric: Metric) -> Stored:
    data = codecs.aez.encode(image, api.DEFAULT_QUALITY)
    found = api.info(data, max_pixels=codecs.max_pixels)
    smaller, average = medium_of(image)
    high = codecs.aez.decode(data)
    medium_fidelity = fidelity(metric, codecs.aez_medium(data), smaller, average)
    curve = []
    for quality in codecs.jpeg.qualities:
        coded = codecs.jpeg.encode(smaller, quality)
        curve.append(Point(quality, 8 * len(coded), fidelity(metric, codecs.jpeg.decode(coded), smaller, average)))
    bits = bpp_at(curve, medium_fidelity)
    return Stored(
        quality=api.DEFAULT_QUALITY,
        bytes=found.bytes,
        medium_bytes=found.medium_bytes,
        fidelity=fidelity(metric, high, image),
        medium_fidelity=medium_fidelity,
        medium_jpeg_bytes=None if bits is None else round(bits / 8),
    )

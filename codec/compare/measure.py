"""What is measured: curves of rate and distortion, and sizes at equal PSNR.

Every codec gets the same samples, RGB or gray, without metadata and alpha, and all bytes of its file count. PSNR and
MS-SSIM are those of the decoded samples; that of medium is against the unrounded 2x2 box average.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
from PIL import Image

from .. import api
from ..arrays import Floats
from ..errors import PictureError
from ..metrics import Point, bd_rate, bpp_at, common_range, mean_curve, ms_ssim, psnr
from ..picture.opening import plain_picture
from ..picture.samples import box_average
from .codecs import AEZ, JPEG, Codec, Codecs

CHOSEN_QUALITY = 50
JPEG_FORMATS = ("JPEG", "MPO")  # MPO is what many telephones write


@dataclass(frozen=True)
class Sample:
    """One codec at one quality on one picture."""

    codec: str
    quality: float
    bytes: int
    bpp: float
    psnr: float
    ms_ssim: float | None
    encode_seconds: float
    decode_seconds: float


@dataclass(frozen=True)
class Stored:
    """One .aez file for both resolutions, and the JPEG of half the size that medium stands for, if JPEG gets there."""

    quality: float
    bytes: int
    medium_bytes: int
    psnr: float
    medium_psnr: float
    medium_jpeg_bytes: int | None


@dataclass(frozen=True)
class Comparison:
    """One picture: its file, all samples, and what a cache would store."""

    name: str
    width: int
    height: int
    file_format: str
    file_bytes: int
    samples: list[Sample]
    stored: Stored

    def curve(self, codec: str) -> list[Point]:
        """Rate and PSNR of a codec."""
        return [Point(s.quality, s.bpp, s.psnr) for s in self.samples if s.codec == codec]

    def bytes_at_equal_psnr(self, codec: str) -> int | None:
        """What a codec needs for the PSNR of the stored .aez."""
        if codec == AEZ:
            return self.stored.bytes
        bpp = bpp_at(self.curve(codec), self.stored.psnr)
        return None if bpp is None else round(bpp * self.width * self.height / 8)


@dataclass(frozen=True)
class Single:
    """One picture at one quality: its file, aez, and both JPEGs of the nearest PSNR."""

    name: str
    file_format: str
    file_bytes: int
    samples: list[Sample]


@dataclass(frozen=True)
class Summary:
    """A codec over all pictures.

    BD-rate is in percent against JPEG 4:2:0 over the range of PSNRs, 29 to 39 dB as far as both curves go; bytes at
    equal PSNR are over those of aez, with the number of pictures that reach it; speeds are megapixels per second over
    all samples.
    """

    codec: str
    bd_rate: float | None
    bd_range: tuple[float, float] | None
    times_as_large: float | None
    pictures: int
    encode_speed: float
    decode_speed: float


def compare(name: str, file: bytes, codecs: Codecs) -> Comparison:
    """Measure one picture with all codecs.

    Raises:
        AezError: it cannot be read or encoded.
    """
    image, file_format = plain_picture(file)
    samples = [measure(codec, image, quality) for codec in codecs for quality in codec.qualities]
    return Comparison(name, *image.size, file_format, len(file), samples, _store(image, codecs))


def compare_once(name: str, file: bytes, quality: float, codecs: Codecs) -> Single:
    """Measure one quality, and find both JPEGs of the nearest PSNR.

    Raises:
        AezError: it cannot be read or encoded.
    """
    image, file_format = plain_picture(file)
    ours = measure(codecs.aez, image, quality)
    jpegs = [nearest_psnr(jpeg, image, ours.psnr) for jpeg in (codecs.jpeg, codecs.jpeg_444)]
    return Single(name, file_format, len(file), [ours, *jpegs])


def measure(codec: Codec, image: Image.Image, quality: float) -> Sample:
    """Encode and decode a picture.

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
    return Sample(
        codec=codec.name,
        quality=quality,
        bytes=len(data),
        bpp=8 * len(data) / (image.width * image.height),
        psnr=psnr(ours, theirs),
        ms_ssim=ms_ssim(ours, theirs),
        encode_seconds=encoded - started,
        decode_seconds=finished - encoded,
    )


def nearest(codec: Codec, image: Image.Image, wanted: float, measured: Callable[[Sample], float]) -> Sample:
    """The sample of a codec, qualities 1 to 100, for which something that rises with quality is nearest to a value."""
    low, high = 1, 100
    tried: dict[int, Sample] = {}
    while low <= high:
        quality = (low + high) // 2
        tried[quality] = measure(codec, image, quality)
        low, high = (quality + 1, high) if measured(tried[quality]) < wanted else (low, quality - 1)
    return min(tried.values(), key=lambda sample: abs(measured(sample) - wanted))


def nearest_psnr(codec: Codec, image: Image.Image, decibels: float) -> Sample:
    """The sample of a codec of nearest PSNR."""
    return nearest(codec, image, decibels, lambda sample: sample.psnr)


def mean_curves(comparisons: Sequence[Comparison]) -> dict[str, list[Point]]:
    """The mean curve of every codec."""
    codecs = dict.fromkeys(sample.codec for sample in comparisons[0].samples)
    return {codec: mean_curve([comparison.curve(codec) for comparison in comparisons]) for codec in codecs}


def summarize(comparisons: Sequence[Comparison]) -> list[Summary]:
    """Every codec over all pictures. Without the package `bjontegaard` (aez[compare]) there are no BD-rates."""
    curves = mean_curves(comparisons)
    return [_summarize(codec, curve, curves[JPEG], comparisons) for codec, curve in curves.items()]


def _summarize(
    codec: str, curve: Sequence[Point], anchor: Sequence[Point], comparisons: Sequence[Comparison]
) -> Summary:
    psnrs = common_range([anchor, curve]) if find_spec("bjontegaard") else None
    pairs = [(comparison.bytes_at_equal_psnr(codec), comparison.stored.bytes) for comparison in comparisons]
    reached = [(theirs, ours) for theirs, ours in pairs if theirs is not None]
    samples = [(c.width * c.height / 1e6, s) for c in comparisons for s in c.samples if s.codec == codec]
    megapixels = sum(size for size, _ in samples)
    return Summary(
        codec=codec,
        bd_rate=bd_rate(anchor, curve, psnrs) if psnrs else None,
        bd_range=psnrs,
        times_as_large=sum(t for t, _ in reached) / sum(o for _, o in reached) if reached else None,
        pictures=len(reached),
        encode_speed=megapixels / sum(sample.encode_seconds for _, sample in samples),
        decode_speed=megapixels / sum(sample.decode_seconds for _, sample in samples),
    )


def half_size(image: Image.Image) -> tuple[Image.Image, Floats]:
    """The medium picture that an image stands for: as a codec can take it, and unrounded."""
    average = box_average(np.asarray(image))
    return Image.fromarray(np.rint(average).astype(np.uint8)), average


def _store(image: Image.Image, codecs: Codecs) -> Stored:
    aez, jpeg = codecs.aez, codecs.jpeg
    data = aez.encode(image, CHOSEN_QUALITY)
    found = api.info(data)
    smaller, average = half_size(image)
    high, medium = aez.decode(data), codecs.aez_medium(data)
    medium_psnr = psnr(medium, average)
    curve = []
    for quality in jpeg.qualities:
        coded = jpeg.encode(smaller, quality)
        curve.append(Point(quality, 8 * len(coded), psnr(jpeg.decode(coded), average)))
    bits = bpp_at(curve, medium_psnr)
    return Stored(
        quality=CHOSEN_QUALITY,
        bytes=found.bytes,
        medium_bytes=found.medium_bytes,
        psnr=psnr(high, image),
        medium_psnr=medium_psnr,
        medium_jpeg_bytes=None if bits is None else round(bits / 8),
    )

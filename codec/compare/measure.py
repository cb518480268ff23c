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

from aez import api
from aez.compare.codecs import AEZ, JPEG, Codec, Codecs
from aez.files import open_picture
from aez.images import from_pillow, to_pillow
from aez.metrics import Point, bd_rate, bpp_at, common_range, mean_curve, ms_ssim, psnr
from aez.samples import box_average

CHOSEN_QUALITY = 50


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
class Summary:
    """A codec over all pictures: BD-rate in percent against JPEG 4:2:0, bytes at equal PSNR over those of aez with the
    number of pictures that reach it, and megapixels per second over all samples."""

    codec: str
    bd_rate: float | None
    times_as_large: float | None
    pictures: int
    encode_speed: float
    decode_speed: float


def load(file: bytes) -> tuple[Image.Image, str]:
    """A picture as all codecs get it, mode RGB or L, and the format of its file.

    Raises:
        PictureError: it cannot be read.
    """
    with open_picture(file) as image:
        picture = from_pillow(image)
        return to_pillow(picture.rgb, None, picture.gray), str(image.format)


def compare(name: str, file: bytes, codecs: Codecs) -> Comparison:
    """Measure one picture with all codecs.

    Raises:
        AezError: it cannot be read or encoded.
    """
    image, file_format = load(file)
    samples = [measure(codec, image, quality) for codec in codecs for quality in codec.qualities]
    return Comparison(name, *image.size, file_format, len(file), samples, _store(image, codecs))


def compare_once(file: bytes, quality: float, codecs: Codecs) -> list[Sample]:
    """aez at one quality, and both JPEGs of the nearest PSNR.

    Raises:
        AezError: it cannot be read or encoded.
    """
    image, _ = load(file)
    ours = measure(codecs.aez, image, quality)
    return [
        ours,
        *(nearest(codec, image, ours.psnr, lambda sample: sample.psnr) for codec in (codecs.jpeg, codecs.jpeg_444)),
    ]


def measure(codec: Codec, image: Image.Image, quality: float) -> Sample:
    """Encode and decode a picture."""
    started = time.perf_counter()
    data = codec.encode(image, quality)
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


def summarize(comparisons: Sequence[Comparison]) -> tuple[list[Summary], tuple[float, float] | None]:
    """Every codec over all pictures, and the range of PSNRs of the BD-rates: 29 to 39 dB as far as all curves go.

    Without the package `bjontegaard` (aez[compare]), or where the curves have too little in common, there are none.
    """
    codecs = list(dict.fromkeys(sample.codec for sample in comparisons[0].samples))
    curves = {codec: mean_curve([comparison.curve(codec) for comparison in comparisons]) for codec in codecs}
    psnrs = common_range(list(curves.values())) if find_spec("bjontegaard") else None
    rates = {codec: bd_rate(curves[JPEG], curve, psnrs) if psnrs else None for codec, curve in curves.items()}
    return [_summarize(codec, rates[codec], comparisons) for codec in codecs], psnrs


def _summarize(codec: str, rate: float | None, comparisons: Sequence[Comparison]) -> Summary:
    pairs = [(comparison.bytes_at_equal_psnr(codec), comparison.stored.bytes) for comparison in comparisons]
    reached = [(theirs, ours) for theirs, ours in pairs if theirs is not None]
    samples = [(c.width * c.height / 1e6, s) for c in comparisons for s in c.samples if s.codec == codec]
    megapixels = sum(size for size, _ in samples)
    return Summary(
        codec=codec,
        bd_rate=rate,
        times_as_large=sum(t for t, _ in reached) / sum(o for _, o in reached) if reached else None,
        pictures=len(reached),
        encode_speed=megapixels / sum(sample.encode_seconds for _, sample in samples),
        decode_speed=megapixels / sum(sample.decode_seconds for _, sample in samples),
    )


def _store(image: Image.Image, codecs: Codecs) -> Stored:
    aez, jpeg = codecs.aez, codecs.jpeg
    data = aez.encode(image, CHOSEN_QUALITY)
    found = api.info(data)
    average = box_average(np.asarray(image))
    high, medium = aez.decode(data), api.decode(data, "medium")
    medium_psnr = psnr(medium, average)
    half_size = Image.fromarray(np.rint(average).astype(np.uint8))
    curve = []
    for quality in jpeg.qualities:
        coded = jpeg.encode(half_size, quality)
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

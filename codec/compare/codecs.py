"""The codecs that are compared: aez, and what Pillow and its plugins can write here."""

import importlib
import io
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

from PIL import Image, features

from .. import api
from ..errors import QualityWarning
from ..model.registry import AnyModel
from ..picture.files.jpeg import optimized_jpeg
from ..picture.files.saving import saved

AEZ, JPEG, JPEG_444 = "aez", "JPEG 4:2:0", "JPEG 4:4:4"
# libaom can aim at one measure or the other: psnr for PSNR; ssimulacra2 for eyes, and iq, which is Pillow's default.
# What has the name of a metric is the best one by it.
AVIF_TUNES = ("psnr", "iq", "ssimulacra2")
_JPEG_QUALITIES = (8, 15, 25, 40, 55, 70, 80, 88, 94, 97)


@dataclass(frozen=True)
class ImageCodec:
    """A codec: the qualities of its curve, how it writes a picture and reads it again, and its highest quality."""

    name: str
    qualities: tuple[float, ...]
    encode: Callable[[Image.Image, float], bytes]
    decode: Callable[[bytes], Image.Image]
    highest: int = 100


@dataclass(frozen=True)
class LosslessCodec:
    """A codec that loses nothing: how it writes a picture and reads it again."""

    name: str
    encode: Callable[[Image.Image], bytes]
    decode: Callable[[bytes], Image.Image]


@dataclass(frozen=True)
class ImageCodecs:
    """aez, JPEG with subsampled colour, to which everything is compared, JPEG without, and what else there is.

    `model` is that of aez, `aez_medium` decodes the medium resolution of an .aez; pictures of more than `max_pixels`
    are not compared.
    """

    model: AnyModel
    aez: ImageCodec
    aez_medium: Callable[[bytes], Image.Image]
    jpeg: ImageCodec
    jpeg_444: ImageCodec
    others: tuple[ImageCodec, ...]
    lossless: tuple[LosslessCodec, ...]
    max_pixels: int

    def __iter__(self) -> Iterator[ImageCodec]:
        return iter((self.aez, self.jpeg, self.jpeg_444, *self.others))


def jpeg_codec() -> ImageCodec:
    """libjpeg-turbo with subsampled colour and optimized tables."""
    return _jpeg_codec(JPEG, subsampling=2)


def avif_codec(tune: str) -> ImageCodec:
    """libaom with full colour, speed 6, tuned for a measure of `AVIF_TUNES`."""
    qualities = (10, 20, 30, 40, 50, 60, 70, 80, 88, 94)
    options: Any = {"subsampling": "4:4:4", "speed": 6, "advanced": {"tune": tune}}
    codec = pillow_codec(f"AVIF tune={tune}", "avif", qualities, **options)
    return codec if tune == "psnr" else replace(codec, highest=99)  # at 100 libavif wants to be lossless, untuned


def installed_codecs(model: AnyModel, threads: int, max_pixels: int) -> ImageCodecs:
    """All codecs that can be written here; aez, on the CPU, has run once, so that no measurement includes its start.

    Raises:
        ModelError: there is no such model, or it does not work on this machine.
    """
    own: Any = {"threads": threads, "max_pixels": max_pixels, "device": "cpu"}

    def encode(image: Image.Image, quality: float) -> bytes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", QualityWarning)  # which is what is compared
            return api.encode(image, quality, model=model, **own)

    aez = ImageCodec(
        AEZ,
        (0, 10, 25, 40, 55, 70, 85, 100),
        encode,
        lambda data: api.decode(data, model=model, **own),
    )

    def decode_medium(data: bytes) -> Image.Image:
        return api.decode(data, "medium", model=model, **own)

    aez.decode(aez.encode(Image.new("RGB", (64, 64)), 50))
    jpeg_444 = _jpeg_codec(JPEG_444, subsampling=0)
    others = []
    if features.check("webp"):
        others.append(pillow_codec("WebP", "webp", (1, 5, 15, 30, 50, 70, 85, 93, 97, 100), method=4))
    if features.check("avif"):
        others += map(avif_codec, AVIF_TUNES)
    if find_spec("pillow_jxl"):
        importlib.import_module("pillow_jxl")
        others.append(pillow_codec("JPEG XL", "jxl", (15, 30, 45, 60, 70, 80, 87, 92, 95, 98), effort=7))
    lossless = [LosslessCodec("aez lossless", lambda image: api.encode(image, api.LOSSLESS, **own), aez.decode)]
    if features.check("webp"):
        lossless.append(_lossless_codec("WebP lossless", "webp", lossless=True, quality=80, method=4))
    lossless.append(_lossless_codec("PNG", "png", optimize=True))
    return ImageCodecs(model, aez, decode_medium, jpeg_codec(), jpeg_444, tuple(others), tuple(lossless), max_pixels)


def _jpeg_codec(name: str, subsampling: int) -> ImageCodec:
    def encode(image: Image.Image, quality: float) -> bytes:
        return optimized_jpeg(image, quality=int(quality), subsampling=subsampling)

    return ImageCodec(name, _JPEG_QUALITIES, encode, lambda data: _decoded(data, "jpeg"))


def pillow_codec(name: str, format: str, qualities: tuple[float, ...], **options: Any) -> ImageCodec:
    """A format that Pillow writes."""

    def encode(image: Image.Image, quality: float) -> bytes:
        return saved(image, format, quality=int(quality), **options)

    return ImageCodec(name, qualities, encode, lambda data: _decoded(data, format))


def _lossless_codec(name: str, format: str, **options: Any) -> LosslessCodec:
    return LosslessCodec(name, lambda image: saved(image, format, **options), lambda data: _decoded(data, format))


def _decoded(data: bytes, format: str) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=[format])
    image.load()
    return image

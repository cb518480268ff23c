"""Gray samples of more than 8 bits, whole numbers and fractions, to 8 bits."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, TiffImagePlugin
from PIL.ExifTags import Base

from ...arrays import AnyArray, Samples
from ..notes import note_conversion

DEEP_MODES = ("I", "F", "I;16", "I;16L", "I;16B", "I;16N")
_WHITE_IS_ZERO, _UNSIGNED = 0, 1
_MEASURED_SAMPLES = 1_000_000

Range = tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """How numbers are meant.

    Attributes:
        declared: the lowest and the highest number, if they are known.
        usual: otherwise, highest numbers that are usual; the first that is high enough is taken.
        tolerance: how many times as high numbers may be, to be cut off; then a quarter of that may be below zero, too.
        white_is_zero: whether the highest number is black.
        unsigned: whether Pillow holds numbers without a sign as if they had one.
    """

    declared: Range | None = None
    usual: tuple[float, ...] = ()
    tolerance: float = 1
    white_is_zero: bool = False
    unsigned: bool = False


def scale_of(image: Image.Image) -> Scale:
    """The scale of an image as it was opened, of one of the deep modes."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return _scale_of_tiff(image)
    if image.mode == "F":
        return Scale(usual=(1, 255, 65_535), tolerance=2)
    if image.mode == "I" and image.format != "PPM":
        return Scale(usual=(255, 65_535))
    return Scale(declared=(0, 65_535))


def deep_to_8_bit(image: Image.Image, scale: Scale, bits: int) -> Image.Image:
    """An image of one of the deep modes as one of mode L or, with a transparent number, LA; NaN becomes black."""
    numbers = np.asarray(image).view(np.uint32) if scale.unsigned else np.asarray(image)
    lowest, highest = scale.declared or _measured(numbers, scale)
    black, white = (highest, lowest) if scale.white_is_zero else (lowest, highest)
    note_reduction(bits, "" if scale.declared else f"; {black:g} is taken for black, {white:g} for white")
    if numbers.dtype.itemsize == 2:
        reduced = Image.fromarray(_levels(np.arange(1 << 16), black, white)[numbers])
    else:
        reduced = Image.fromarray(_levels(numbers, black, white))
    if isinstance(transparent := image.info.get("transparency"), int):
        reduced.putalpha(Image.fromarray(np.where(numbers == transparent, 0, 255).astype(np.uint8)))
    return reduced


def _levels(numbers: AnyArray, black: float, white: float) -> Samples:
    """Gray levels 0 to 255 for numbers from `black` to `white`, which may be the lower one."""
    inside = np.clip(numbers.astype(np.float64), min(black, white), max(black, white))
    return np.rint(np.nan_to_num((inside - black) * (255 / (white - black)))).astype(np.uint8)


def note_reduction(bits: int, how: str = "") -> None:
    """Say that something is lost."""
    note_conversion(f"{bits}-bit samples are reduced to 8 bits{how}")


def _scale_of_tiff(image: TiffImagePlugin.TiffImageFile) -> Scale:
    tags = image.tag_v2
    bits, number_format = max(tags.get(Base.BitsPerSample, (1,))), tags.get(Base.SampleFormat, (_UNSIGNED,))[0]
    declared = _declared(tags.get(Base.SMinSampleValue), tags.get(Base.SMaxSampleValue))
    white_is_zero = tags.get(Base.PhotometricInterpretation, _WHITE_IS_ZERO) == _WHITE_IS_ZERO
    if image.mode == "F":
        return Scale(declared, (1, 255, 65_535), 2, white_is_zero)
    if image.mode == "I":
        highest = 65_535 if bits == 32 else 32_767
        return Scale(declared, (255, highest), 1, white_is_zero, unsigned=number_format == _UNSIGNED)
    return Scale(declared or (0, (1 << bits) - 1), white_is_zero=white_is_zero)


def _declared(lowest: object, highest: object) -> Range | None:
    """The range that two tags say, which may have a number for each channel."""
    first = [value[0] if isinstance(value, tuple) and value else value for value in (lowest, highest)]
    match first:
        case [int() | float() as low, int() | float() as high] if math.isfinite(high - low) and low < high:
            return low, high
    return None


def _measured(numbers: AnyArray, scale: Scale) -> Range:
    """A usual range, if one holds all numbers but one in a thousand at either end; else the range of these."""
    few = numbers.ravel()[:: max(1, numbers.size // _MEASURED_SAMPLES)].astype(np.float64)
    finite = np.sort(few[np.isfinite(few)])
    if not finite.size:
        return 0, scale.usual[0]
    strays = finite.size // 1000
    low, high = float(finite[strays]), float(finite[-1 - strays])
    usual = next((usual for usual in scale.usual if high <= scale.tolerance * usual), 0)
    if usual and low >= (1 - scale.tolerance) * high / 4:
        return 0, usual
    return low, high if high > low else low + max(1, abs(low))

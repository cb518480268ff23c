"""Pillow images <-> what the codec works on: RGB samples, alpha and metadata."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..arrays import Samples
from ..format.contents import Metadata
from .depth import DEEP_MODES, deep_to_8_bit, note_reduction, scale_of
from .loading import load
from .metadata import read_exif, read_metadata
from .modes import to_8_bit
from .orientation import turned
from .profiles import fitted, given_profile, to_srgb
from .samples import fill_transparent
from .source import read_source


@dataclass(frozen=True)
class Picture:
    """RGB samples uint8 [H, W, 3], alpha uint8 [H, W] or none, and metadata."""

    rgb: Samples
    alpha: Samples | None
    gray: bool
    metadata: Metadata


def from_pillow(image: Image.Image) -> Picture:
    """Take a Pillow image of any mode apart; conversions that lose something warn with `AezWarning`.

    Raises:
        PictureError: the image cannot be decoded.
    """
    bits = read_source(image).bits
    load(image)
    exif = read_exif(image, image.info)
    profile = given_profile(image.info)
    upright = turned(image, exif.orientation if exif else 1)
    if image.mode in DEEP_MODES:
        upright = deep_to_8_bit(upright, scale_of(image), bits)
    elif bits > 8:
        note_reduction(bits)
    if image.mode in ("CMYK", "LAB"):
        upright, profile = to_srgb(upright, profile), b""
    flat, profile = fitted(to_8_bit(upright), profile)
    samples = np.asarray(flat)
    gray = flat.mode in ("L", "LA")
    alpha = samples[..., -1] if flat.mode in ("LA", "RGBA") else None
    colour = np.asarray(flat.convert("RGB")) if gray else samples[..., :3]
    rgb = np.ascontiguousarray(colour if alpha is None else fill_transparent(colour, alpha))
    return Picture(rgb, alpha, gray, read_metadata(image.info, profile, exif))


def to_pillow(rgb: Samples, alpha: Samples | None, gray: bool) -> Image.Image:
    """A Pillow image of mode L, LA, RGB or RGBA from samples [H, W, 3] and alpha [H, W]."""
    image = Image.fromarray(rgb)
    if gray:
        image = image.convert("L")
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    return image

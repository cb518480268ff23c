"""Pillow images <-> what the codec works on: RGB samples, alpha and metadata."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from ..arrays import Samples
from ..errors import AezError, unreadable
from ..format.contents import Metadata
from .colour.depth import DEEP_MODES, deep_to_8_bit, note_reduction, scale_of
from .colour.profiles import checked_profile, declared_profile, fitted, has_no_colour, to_srgb
from .colour.signalled import colour_of_chunks
from .files.source import SourceFacts, read_source
from .loading import load
from .metadata.left_out import note_what_is_left_out
from .metadata.metadata import read_exif, read_metadata
from .metadata.raw_profiles import raw_profile
from .modes import to_8_bit
from .orientation import turned
from .samples import fill_transparent


@dataclass(frozen=True)
class Picture:
    """RGB samples uint8 [H, W, 3], alpha uint8 [H, W] or none, and metadata."""

    rgb: Samples
    alpha: Samples | None
    gray: bool
    metadata: Metadata

    @cached_property
    def seen(self) -> Samples:
        """The samples, smoothly continued where alpha hides them."""
        return self.rgb if self.alpha is None else fill_transparent(self.rgb, self.alpha)


def from_pillow(image: Image.Image) -> Picture:
    """Take a Pillow image of any mode apart; conversions that lose something warn with `AezWarning`.

    Raises:
        PictureError: the image cannot be decoded.
    """
    source = read_source(image)
    loaded = load(image)
    try:
        return _taken_apart(image, loaded, source)
    except (AezError, Warning, MemoryError):
        raise
    except Exception as error:  # as in `load`: Pillow finds out late what is wrong with palettes, for one
        raise unreadable(error) from error


def _taken_apart(image: Image.Image, loaded: Image.Image, source: SourceFacts) -> Picture:
    info = source.completed(image.info)
    exif = read_exif(image, info)
    upright = turned(loaded, exif.orientation if exif else 1)
    if image.mode in DEEP_MODES:
        upright = deep_to_8_bit(upright, scale_of(image), source.bits)
    elif source.bits > 8:
        note_reduction(source.bits)
    flat, profile = _flat(upright, info, source)
    samples = np.asarray(flat)
    gray = flat.mode in ("L", "LA")
    alpha = samples[..., -1] if flat.mode in ("LA", "RGBA") else None
    colour = np.asarray(flat.convert("RGB")) if gray else samples[..., :3]
    note_what_is_left_out(image, info, source)
    return Picture(np.ascontiguousarray(colour), alpha, gray, read_metadata(info, profile, exif))


def _flat(image: Image.Image, info: Mapping[Any, Any], source: SourceFacts) -> tuple[Image.Image, bytes]:
    """An image of 8 bits as one of mode L, LA, RGB or RGBA, with the profile of its samples if it needs one."""
    profile = checked_profile(info.get("icc_profile", source.profile or raw_profile(info, "icc", "icm")))
    if image.mode in ("CMYK", "LAB"):
        return to_srgb(image, profile), b""
    flat = to_8_bit(image, source.bits)
    if source.opaque and flat.mode in ("LA", "RGBA"):
        flat = flat.convert(flat.mode.removesuffix("A"))
    if source.gray and flat.mode == "RGBA" and has_no_colour(flat):  # as Pillow opens gray of 16 bits with alpha
        flat = flat.convert("LA")
    if not profile and "icc_profile" not in info:
        colour = source.colour or colour_of_chunks(info)
        profile = declared_profile(colour, gray=flat.mode in ("L", "LA"))
    return fitted(flat, profile)


def plain(image: Image.Image) -> Image.Image:
    """An image of mode RGB or L, upright, without alpha and metadata; where alpha hid colours there are others.

    Raises:
        PictureError: the image cannot be decoded.
    """
    picture = from_pillow(image)
    return to_pillow(picture.seen, None, picture.gray)


def to_pillow(rgb: Samples, alpha: Samples | None, gray: bool) -> Image.Image:
    """A Pillow image of mode L, LA, RGB or RGBA from samples [H, W, 3] and alpha [H, W]."""
    image = Image.fromarray(rgb)
    if gray:
        image = image.convert("L")
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    return image

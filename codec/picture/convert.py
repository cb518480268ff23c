"""Pillow images <-> what the codec works on: RGB samples, alpha and metadata."""

import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from ..arrays import Samples
from ..errors import AezWarning, PictureError
from ..format.contents import Metadata
from .metadata import exif_of_tags, read_metadata
from .modes import is_deep, to_8_bit
from .samples import fill_transparent


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
    deep = is_deep(image)
    try:
        frames = getattr(image, "n_frames", 1)
        image.load()
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise whatever their libraries do
        raise PictureError(f"cannot be read ({error})") from error
    if frames > 1:
        warnings.warn(f"only frame {image.tell() + 1} of {frames} is kept", AezWarning, stacklevel=2)
    if deep:
        warnings.warn("16-bit samples are reduced to 8 bits", AezWarning, stacklevel=2)
    upright, metadata = _upright(image)
    flat = to_8_bit(upright)
    samples = np.asarray(flat)
    gray = flat.mode in ("L", "LA")
    alpha = samples[..., -1] if flat.mode in ("LA", "RGBA") else None
    colour = np.asarray(flat.convert("RGB")) if gray else samples[..., :3]
    rgb = np.ascontiguousarray(colour if alpha is None else fill_transparent(colour, alpha))
    return Picture(rgb, alpha, gray, metadata)


def to_pillow(rgb: Samples, alpha: Samples | None, gray: bool) -> Image.Image:
    """A Pillow image of mode L, LA, RGB or RGBA from samples [H, W, 3] and alpha [H, W]."""
    image = Image.fromarray(rgb)
    if gray:
        image = image.convert("L")
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    return image


def _upright(image: Image.Image) -> tuple[Image.Image, Metadata]:
    """The image turned as its EXIF says, and its metadata; malformed EXIF costs the EXIF, not the picture."""
    try:
        upright = ImageOps.exif_transpose(image)
        if "exif" not in upright.info:
            upright.info["exif"] = exif_of_tags(image)
        return upright, read_metadata(upright)
    except MemoryError:
        raise
    except Exception as error:  # malformed EXIF raises struct.error, SyntaxError, TypeError, KeyError, ...
        warnings.warn(f"malformed EXIF is left out ({error})", AezWarning, stacklevel=3)
        plain = image.copy()
        plain.info.pop("exif", None)
        plain.info.pop("Raw profile type exif", None)
        plain._exif = None
        return plain, read_metadata(plain)

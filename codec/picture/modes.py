"""Pillow's many modes to the four that are coded: L, LA, RGB, RGBA."""

import io
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from ..errors import AezWarning

KEPT = ("L", "LA", "RGB", "RGBA")


def is_deep(image: Image.Image) -> bool:
    """Whether samples have more than 8 bits, in the mode or in the file from which Pillow will reduce them."""
    tiles = getattr(image, "tile", [])
    return image.mode in ("I", "F") or image.mode.startswith("I;16") or any(";16" in str(t[-1]) for t in tiles)


def to_8_bit(image: Image.Image) -> Image.Image:
    """Convert to mode L, LA, RGB or RGBA; transparent colours of other modes become alpha."""
    transparent = image.has_transparency_data if image.mode == "P" else "transparency" in image.info
    if image.mode in KEPT and not transparent:
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        samples = np.asarray(image)
        gray = Image.fromarray(_reduce(samples))
        if transparent:
            gray.putalpha(Image.fromarray((samples != image.info["transparency"]).astype(np.uint8) * 255))
        return gray
    if image.mode in ("1", "L"):
        return image.convert("LA" if transparent else "L")
    if image.mode == "CMYK":
        return _from_cmyk(image)
    if image.mode in ("La", "RGBa"):
        return image.convert(image.mode.upper())
    return image.convert("RGBA" if transparent or image.mode == "PA" else "RGB")


def _reduce(samples: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """8-bit samples of 16-bit integers, or of floats that are up to 1 or up to 255."""
    values = samples.astype(np.float32)
    if samples.dtype.kind != "f":
        values /= 257
    elif values.max(initial=0) <= 1:
        values *= 255
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _from_cmyk(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            warnings.warn("CMYK is converted to sRGB with its profile, which is not kept", AezWarning, stacklevel=3)
            return converted
    warnings.warn("CMYK is converted to RGB", AezWarning, stacklevel=3)
    return image.convert("RGB")

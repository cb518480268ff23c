"""Pillow's many modes to the four that are coded: L, LA, RGB, RGBA."""

import io

from PIL import Image, ImageCms

from .notes import note

KEPT = ("L", "LA", "RGB", "RGBA")


def to_8_bit(image: Image.Image) -> Image.Image:
    """Convert from another mode that has 8 bits to L, LA, RGB or RGBA; a transparent colour becomes alpha."""
    if isinstance(image.info.get("transparency"), str):  # a text in a PNG file that is called so
        image = image.copy()
        del image.info["transparency"]
    transparent = image.has_transparency_data if image.mode == "P" else "transparency" in image.info
    if image.mode in KEPT and not transparent:
        return image
    if image.mode in ("1", "L"):
        return image.convert("LA" if transparent else "L")
    if image.mode == "CMYK":
        return _from_cmyk(image)
    if image.mode in ("La", "RGBa"):
        return image.convert(image.mode.upper())
    return image.convert("RGBA" if transparent or image.mode == "PA" else "RGB")


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
            note("CMYK is converted to sRGB with its profile, which is not kept")
            return converted
    note("CMYK is converted to RGB")
    return image.convert("RGB")

"""Pillow's many modes to the four that are coded: L, LA, RGB, RGBA."""

from PIL import Image

from .notes import refuse_conversion

KEPT = ("L", "LA", "RGB", "RGBA")
_SAME_SAMPLES = (*KEPT, "1", "P", "PA", "RGBX")


def to_8_bit(image: Image.Image) -> Image.Image:
    """Convert from any mode of 8 bits but CMYK and LAB to L, LA, RGB or RGBA; a transparent colour becomes alpha.

    Raises:
        PictureError: samples would change that shall not.
    """
    if isinstance(image.info.get("transparency"), str):  # a text in a PNG file that is called so
        image = image.copy()
        del image.info["transparency"]
    transparent = image.has_transparency_data if image.mode == "P" else "transparency" in image.info
    if image.mode in KEPT and not transparent:
        return image
    if image.mode not in _SAME_SAMPLES:
        refuse_conversion(f"{image.mode} is converted")
    if image.mode in ("1", "L"):
        return image.convert("LA" if transparent else "L")
    if image.mode in ("La", "RGBa"):
        return image.convert(image.mode.upper())
    return image.convert("RGBA" if transparent or image.mode == "PA" else "RGB")

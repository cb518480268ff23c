"""Pillow's many modes to the four that are coded: L, LA, RGB, RGBA."""

from PIL import Image

from .notes import refuse_conversion

KEPT = ("L", "LA", "RGB", "RGBA")
_SAME_SAMPLES = (*KEPT, "1", "P", "PA", "RGBX")


def to_8_bit(image: Image.Image, bits: int) -> Image.Image:
    """Convert from any mode of 8 bits but CMYK and LAB to L, LA, RGB or RGBA; a transparent colour becomes alpha.

    `bits` are those of the file's samples: Pillow scales samples to 8, but not the transparent colour.

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
    if transparent and bits != 8 and image.mode in ("L", "RGB"):
        image = image.copy()
        image.info["transparency"] = _scaled(image.info["transparency"], bits)
    if image.mode in ("1", "L"):
        return image.convert("LA" if transparent else "L")
    if image.mode in ("La", "RGBa"):
        return image.convert(image.mode.upper())
    return image.convert("RGBA" if transparent or image.mode == "PA" else "RGB")


def _scaled(colour: int | tuple[int, ...], bits: int) -> int | tuple[int, ...]:
    """What a transparent colour of so many bits is among Pillow's samples, which are spread or cut to 8."""
    if isinstance(colour, tuple):
        return tuple(number >> (bits - 8) for number in colour)
    return colour * 255 // ((1 << bits) - 1)

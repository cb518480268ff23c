"""Turning pictures as their EXIF says."""

from PIL import Image
from PIL.Image import Transpose

_TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
QUARTERS = range(5, 9)
"""Orientations after which width and height are each other's."""


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """The image upright; `orientation` is that of EXIF. What is upright already is not copied."""
    if orientation not in _TURNS or _is_turned_by_its_decoder(image):
        return image
    return image.transpose(_TURNS[orientation])


def _is_turned_by_its_decoder(image: Image.Image) -> bool:
    """JPEG XL says it in its own header, which counts and is obeyed; only JPEGs packed into it come as they were."""
    return image.format == "JXL" and not getattr(image, "jpeg", False)

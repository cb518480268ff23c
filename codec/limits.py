"""How many pixels a picture may have."""

from PIL import Image

from .errors import LimitError

MAX_PIXELS = 128_000_000
MORE_HINT = "--max-pixels raises the limit"


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Refuse what is too large.

    Raises:
        LimitError: it is.
    """
    if width * height > max_pixels:
        raise LimitError(f"{width} x {height} is more than {max_pixels / 1e6:g} megapixels", MORE_HINT)


def raise_pillows_limit(count: int) -> None:
    """Let Pillow read so many pixels. Its limit is the process's: it is raised, never lowered."""
    if Image.MAX_IMAGE_PIXELS is not None:
        Image.MAX_IMAGE_PIXELS = max(count, Image.MAX_IMAGE_PIXELS)

"""How many pixels a picture may have."""

from ..errors import LimitError

MAX_PIXELS = 128_000_000
MORE_HINT = "--max-pixels raises the limit"


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Refuse what is too large.

    Raises:
        LimitError: it is.
    """
    if width * height > max_pixels:
        raise LimitError(f"{width} x {height} is more than {max_pixels / 1e6:g} megapixels", MORE_HINT)

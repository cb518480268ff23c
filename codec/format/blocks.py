"""The blocks of a picture: 64 x 64 pixels, the grain of hyper latents."""

from .sheet import Size

BLOCK = 64


def blocks_of(height: int, width: int) -> Size:
    """How many blocks a picture of so many pixels has, down and across."""
    return Size(-(-height // BLOCK), -(-width // BLOCK))

"""Decoding the samples of an opened picture."""

from PIL import Image, TiffImagePlugin

from ..errors import unreadable, warn
from .files.jpeg_end import with_end_marker
from .files.tiff import forget_orientation_of_xmp
from .notes import note_conversion


def load(image: Image.Image) -> Image.Image:
    """The image with the samples of one frame decoded; that there are others is noted.

    Raises:
        PictureError: they cannot be decoded.
    """
    try:
        frames = _frames(image)
        forget_orientation_of_xmp(image)
        image.load()
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise whatever their libraries do
        return _mended(image, error)
    if frames:
        note_conversion(f"only frame {image.tell() + 1} of {frames} is kept")
    return image


def _frames(image: Image.Image) -> str:
    """How many there are, if more than one. Counting those of a TIFF file would take time by their square."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return "several" if image.is_animated else ""
    count = getattr(image, "n_frames", 1)
    return str(count) if count > 1 else ""


def _mended(image: Image.Image, error: Exception) -> Image.Image:
    """What can be read of it after all, if that is the whole picture."""
    try:
        complete = with_end_marker(image)
    except (OSError, LookupError, SyntaxError, ValueError):  # the file is malformed, too
        complete = None
    if complete is None:
        raise unreadable(error) from error
    warn("the JPEG lacks its end marker")
    return complete

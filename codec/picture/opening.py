"""Picture files in: the bytes of a file as a Pillow image, of the formats that aez reads and no other."""

import io
from contextlib import suppress

from PIL import Image, UnidentifiedImageError

from ..errors import PictureError
from .convert import from_pillow, to_pillow
from .formats import FORMATS, plugin_formats
from .heif import without_exif
from .notes import note


def open_picture(file: bytes) -> Image.Image:
    """The bytes of a picture file as a Pillow image, not yet loaded.

    Raises:
        PictureError: it is of none of the formats that aez reads, or refused.
    """
    try:
        return _open(file)
    except UnidentifiedImageError as error:
        raise PictureError("not a picture that can be read" if file else "the file is empty") from error
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise whatever their libraries do
        raise PictureError(f"cannot be read ({error})") from error


def plain_picture(file: bytes) -> tuple[Image.Image, str]:
    """The samples of a picture file, mode RGB or L, upright, without alpha and metadata; and the file's format.

    Raises:
        PictureError: it cannot be read.
    """
    with open_picture(file) as image:
        picture = from_pillow(image)
        return to_pillow(picture.rgb, None, picture.gray), str(image.format)


def allow_pixels(count: int) -> None:
    """Raise Pillow's own limit to so many pixels, for this process; a lower count leaves it as it is."""
    Image.MAX_IMAGE_PIXELS = max(count, Image.MAX_IMAGE_PIXELS or 0)


def _open(file: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(file), formats=FORMATS)
    except UnidentifiedImageError:
        return _open_otherwise(file)


def _open_otherwise(file: bytes) -> Image.Image:
    """By a plugin; or without EXIF, into which Pillow writes the orientation of an AVIF file, or refuses it."""
    with suppress(UnidentifiedImageError):
        return Image.open(io.BytesIO(file), formats=plugin_formats())
    image = Image.open(io.BytesIO(without_exif(file)), formats=["AVIF"])
    note("malformed EXIF is left out")
    return image

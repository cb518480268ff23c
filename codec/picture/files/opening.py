"""Picture files in: the bytes of a file as a Pillow image, of the formats that aez reads and no other."""

import io
import struct
from collections.abc import Collection

from PIL import Image, PngImagePlugin

from ...errors import PictureError, unreadable, warn
from ...format.contents import METADATA_MAX
from ...limits import MAX_PIXELS, check_pixels, raise_pillows_limit
from ..convert import plain
from . import jxl
from .formats import FORMATS, needed_package, plugin_formats
from .heif import without_exif

_PREFIX = 16  # bytes by which Pillow's plugins know their files
_TEXT_MAX = 2 * METADATA_MAX + 1024  # metadata may be written in hexadecimal digits
_OF_ANOTHER_FORMAT = (SyntaxError, IndexError, TypeError, struct.error)


def open_picture(file: bytes, max_pixels: int = MAX_PIXELS, formats: Collection[str] | None = None) -> Image.Image:
    """The bytes of a picture file as a Pillow image, not yet loaded.

    Args:
        file: the bytes.
        max_pixels: beyond which pictures are refused, before they are decoded.
        formats: Pillow's names of those that are tried; unless given, all that aez reads.

    Raises:
        PictureError: it is of none of the formats, or refused.
    """
    raise_pillows_limit((max_pixels + 1) // 2)  # of which they refuse twice as many
    PngImagePlugin.MAX_TEXT_CHUNK = max(PngImagePlugin.MAX_TEXT_CHUNK, _TEXT_MAX)
    try:
        image = _open(file, max_pixels, FORMATS if formats is None else formats)
        if image is None and formats is None:
            image = _open(file, max_pixels, plugin_formats())
        if image is None and "AVIF" in (formats or FORMATS):
            image = _open_without_exif(file, max_pixels)
    except (PictureError, MemoryError):
        raise
    except Exception as error:  # Pillow's plugins raise whatever their libraries do
        raise unreadable(error) from error
    if image is None:
        package = needed_package(file)
        hint = f"pip install {package}" if package else ""
        raise PictureError("not a picture that can be read" if file else "the file is empty", hint)
    return image


def plain_picture(file: bytes, max_pixels: int = MAX_PIXELS) -> tuple[Image.Image, str]:
    """The samples of a picture file, mode RGB or L, upright, without alpha and metadata; and the file's format.

    Raises:
        PictureError: it cannot be read, or is larger than `max_pixels`.
    """
    with open_picture(file, max_pixels) as image:
        return plain(image), str(image.format)


def _open(file: bytes, limit: int, formats: Collection[str]) -> Image.Image | None:
    """As `Image.open`, whose own limit holds for whatever the process opens."""
    Image.preinit()
    for name in formats:
        if name not in Image.OPEN:
            Image.init()
        factory, accepts = Image.OPEN[name]
        accepted = not accepts or accepts(file[:_PREFIX])
        if not accepted or isinstance(accepted, str):  # a text says what is missing
            continue
        if name == "JXL":  # its plugin decodes the picture in order to open it
            check_pixels(*jxl.picture_size(file), limit)
        try:
            image = factory(io.BytesIO(file), "")
        except _OF_ANOTHER_FORMAT:
            continue
        check_pixels(*image.size, limit)
        raise_pillows_limit(image.width * image.height)
        return image
    return None


def _open_without_exif(file: bytes, limit: int) -> Image.Image | None:
    """An AVIF file without its EXIF, into which Pillow writes the orientation, or refuses the file."""
    image = _open(without_exif(file), limit, ["AVIF"])
    if image:
        warn("malformed EXIF is left out")
    return image

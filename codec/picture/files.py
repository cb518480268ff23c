"""Picture files that Pillow reads and writes."""

import io
import os
import warnings
from pathlib import Path
from typing import Any, Literal

from PIL import Image, ImageFile, UnidentifiedImageError

from ..errors import AezError, AezWarning, PictureError
from .convert import from_pillow, to_pillow
from .metadata import save_options

AnyPath = str | os.PathLike[str]
PictureFormat = Literal["png", "jpeg", "webp", "avif"]
_QUALITY_OPTIONS: dict[PictureFormat, dict[str, Any]] = {
    "png": {},
    "jpeg": {"quality": 95, "subsampling": 0, "optimize": True},
    "webp": {"quality": 95, "method": 4},
    "avif": {"quality": 90, "speed": 6},
}
_FORMATS: dict[str, PictureFormat] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".avif": "avif",
}


READABLE = {
    *_FORMATS,
    *(".bmp", ".gif", ".jp2", ".jfif", ".pbm", ".pgm", ".ppm", ".pnm", ".tga", ".tif", ".tiff"),
}


def open_picture(file: bytes) -> Image.Image:
    """The bytes of a picture file as a Pillow image, not yet loaded.

    Raises:
        PictureError: Pillow does not know the format, or refuses the file.
    """
    try:
        return Image.open(io.BytesIO(file))
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


def allow_jpeg_bytes(image: Image.Image) -> None:
    """Give Pillow's optimizing JPEG encoder room for noisy pictures, which its guess of their size is too small for."""
    ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 4 * image.width * image.height)


def save_picture(image: Image.Image, format: PictureFormat, quality: int | None = None) -> bytes:
    """A Pillow image as a file of the format, with its metadata; JPEG loses alpha, with an `AezWarning`.

    The usual quality is nearly lossless. With another one JPEG has subsampled colour.

    Raises:
        PictureError: the format cannot hold the picture.
    """
    options = {**_QUALITY_OPTIONS[format], **save_options(image, format)}
    if quality is not None:
        options |= {"quality": quality, "subsampling": 2} if format == "jpeg" else {"quality": quality}
    if format == "jpeg" and image.mode in ("LA", "RGBA"):
        warnings.warn("JPEG has no transparency; the picture is laid on white", AezWarning, stacklevel=2)
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA")).convert("L" if image.mode == "LA" else "RGB")
    allow_jpeg_bytes(image)
    buffer = io.BytesIO()
    try:
        image.save(buffer, format, **options)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise whatever their libraries do
        raise PictureError(f"cannot be written as {format} ({error})") from error
    return buffer.getvalue()


def format_of(path: Path) -> PictureFormat:
    """The picture format of a file's suffix.

    Raises:
        AezError: it has none that aez writes.
    """
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        raise AezError(f"{path}: no format is known by that suffix", "name one with --format") from None

"""Picture files out: a Pillow image as the bytes of a file."""

import io
from typing import Any

from PIL import Image

from ..errors import PictureError
from .formats import PictureFormat
from .jpeg import optimized_jpeg
from .metadata import save_options
from .notes import note

_OPTIONS: dict[PictureFormat, dict[str, Any]] = {
    "png": {},
    "jpeg": {"quality": 95, "subsampling": 0},
    "webp": {"quality": 95, "method": 4},
    "avif": {"quality": 90, "speed": 6},
}


def save_picture(image: Image.Image, format: PictureFormat, quality: int | None = None) -> bytes:
    """A Pillow image as a file of the format, with its metadata; JPEG loses alpha, with an `AezWarning`.

    The usual quality is nearly lossless. With another one JPEG has subsampled colour.

    Raises:
        PictureError: the format cannot hold the picture.
    """
    options = {**_OPTIONS[format], **save_options(image, format)}
    if quality is not None:
        options |= {"quality": quality, "subsampling": 2} if format == "jpeg" else {"quality": quality}
    if format == "jpeg" and image.mode in ("LA", "RGBA"):
        image = _on_white(image)
    try:
        return optimized_jpeg(image, **options) if format == "jpeg" else _saved(image, format, options)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise whatever their libraries do
        raise PictureError(f"cannot be written as {format} ({error})") from error


def _on_white(image: Image.Image) -> Image.Image:
    note("JPEG has no transparency; the picture is laid on white")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("L" if image.mode == "LA" else "RGB")


def _saved(image: Image.Image, format: PictureFormat, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()

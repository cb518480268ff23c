"""Picture files out: a Pillow image as the bytes of a file."""

import io
from typing import Any

from PIL import Image

from ...errors import PictureError, warn
from ..colour.profiles import checked_profile, fitted, gray_in_srgb
from ..metadata.metadata import save_options
from .formats import PictureFormat
from .jpeg import optimized_jpeg

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
    options = {**_OPTIONS[format], **save_options(image.info, format)}
    profile = checked_profile(image.info.get("icc_profile", b""))
    if quality is not None:
        options |= {"quality": quality, "subsampling": 2} if format == "jpeg" else {"quality": quality}
    if format == "jpeg" and image.mode in ("LA", "RGBA"):
        image = _on_white(image)
    image, options["icc_profile"] = _with_fitting_profile(image, profile, format)
    try:
        return optimized_jpeg(image, **options) if format == "jpeg" else saved(image, format, **options)
    except MemoryError:
        raise
    except Exception as error:  # Pillow's plugins raise whatever their libraries do
        raise PictureError(f"cannot be written as {format} ({error})") from error


def _with_fitting_profile(image: Image.Image, profile: bytes, format: PictureFormat) -> tuple[Image.Image, bytes]:
    """The image and its profile; Pillow writes gray as RGB where a format has no gray, or none with alpha."""
    image, profile = fitted(image, profile)
    becomes_rgb = format == "webp" or (format == "avif" and image.mode == "LA")
    if profile and image.mode in ("L", "LA") and becomes_rgb:
        return gray_in_srgb(image, profile), b""
    return image, profile


def _on_white(image: Image.Image) -> Image.Image:
    warn("JPEG has no transparency; the picture is laid on white")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image.convert("RGBA")).convert("L" if image.mode == "LA" else "RGB")


def saved(image: Image.Image, format: str, **options: Any) -> bytes:
    """What Pillow writes, in memory."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()

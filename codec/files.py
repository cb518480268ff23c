"""Files in, files out: whole or not at all, and never over an existing file unless told so."""

import io
import os
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Literal

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from aez.api import MAX_PIXELS, Info, Resolution, decode, encode, info
from aez.errors import AezError, PictureError
from aez.images import AezWarning
from aez.layers import Coding, Layers
from aez.networks import DEFAULT_MODEL
from aez.sessions import Device

PictureFormat = Literal["png", "jpeg", "webp", "avif"]
_SAVE_OPTIONS: dict[str, dict[str, object]] = {
    "png": {},
    "jpeg": {"quality": 95, "subsampling": 0, "optimize": True},
    "webp": {"quality": 95, "method": 4},
    "avif": {"quality": 90, "speed": 6},
}
_SUFFIXES: dict[str, PictureFormat] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".avif": "avif",
}


class OutputExistsError(AezError):
    """The output is there already."""


def encode_file(
    source: Path,
    target: Path,
    quality: float = 50,
    *,
    layers: Layers = "all",
    coding: Coding = "ans",
    model: str = DEFAULT_MODEL,
    max_pixels: int = MAX_PIXELS,
    threads: int = 0,
    device: Device = "auto",
    overwrite: bool = False,
) -> Info:
    """Encode a picture file; the options are those of `encode`.

    Raises:
        AezError: as `encode`, or `target` exists and `overwrite` is false.
        OSError: `source` cannot be read or `target` not be written.
    """
    refuse_existing(target, overwrite)
    with open_picture(source.read_bytes()) as image:
        data = encode(
            image,
            quality,
            layers=layers,
            coding=coding,
            model=model,
            max_pixels=max_pixels,
            threads=threads,
            device=device,
        )
    write_file(target, data, overwrite)
    return info(data)


def decode_file(
    source: Path,
    target: Path,
    resolution: Resolution = "high",
    *,
    format: PictureFormat | None = None,
    upscale: bool = False,
    max_pixels: int = MAX_PIXELS,
    threads: int = 0,
    device: Device = "auto",
    overwrite: bool = False,
) -> tuple[int, int]:
    """Decode an .aez file to a picture file, whose format is that of its suffix unless given; returns its size.

    Raises:
        AezError: as `decode`, `target` has no known suffix, or exists and `overwrite` is false.
        OSError: `source` cannot be read or `target` not be written.
    """
    chosen = format or format_of(target)
    refuse_existing(target, overwrite)
    image = decode(
        source.read_bytes(), resolution, upscale=upscale, max_pixels=max_pixels, threads=threads, device=device
    )
    write_file(target, save_picture(image, chosen), overwrite)
    return image.size


def open_picture(data: bytes) -> Image.Image:
    """Open the bytes of a picture file, not yet decoded.

    Raises:
        PictureError: Pillow does not know the format.
    """
    try:
        return Image.open(io.BytesIO(data))
    except UnidentifiedImageError as error:
        raise PictureError("not a picture that can be read" if data else "the file is empty") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise PictureError(f"cannot be read ({error})") from error
    except Image.DecompressionBombError as error:
        raise PictureError(str(error)) from error


def save_picture(image: Image.Image, format: PictureFormat) -> bytes:
    """A Pillow image as a file of the format, with its metadata; JPEG loses alpha, with an `AezWarning`.

    Raises:
        PictureError: the format cannot hold the picture.
    """
    options = {**_SAVE_OPTIONS[format]}
    for name in ("icc_profile", "exif", "xmp"):
        if name in image.info:
            options[name] = image.info[name]
    if format == "png" and "xmp" in options:
        chunks = PngImagePlugin.PngInfo()
        chunks.add_itxt("XML:com.adobe.xmp", image.info["xmp"].decode("utf-8", "replace"))
        options["pnginfo"] = chunks
    if format == "jpeg" and image.mode in ("LA", "RGBA"):
        warnings.warn("JPEG has no transparency; the picture is laid on white", AezWarning, stacklevel=2)
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA")).convert("L" if image.mode == "LA" else "RGB")
    buffer = io.BytesIO()
    try:
        image.save(buffer, format, **options)
    except (OSError, ValueError, KeyError) as error:
        raise PictureError(f"cannot be written as {format} ({error})") from error
    return buffer.getvalue()


def format_of(path: Path) -> PictureFormat:
    """The picture format of a file's suffix.

    Raises:
        AezError: it has none that aez writes.
    """
    try:
        return _SUFFIXES[path.suffix.lower()]
    except KeyError:
        raise AezError(f"{path}: no format is known by that suffix; name one with --format") from None


def write_file(path: Path, data: bytes, overwrite: bool) -> None:
    """Write a file under a temporary name beside it and rename it when it is complete.

    Raises:
        OutputExistsError: it exists and `overwrite` is false.
        OSError: it cannot be written.
    """
    refuse_existing(path, overwrite)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = str(path), None
        raise


def refuse_existing(path: Path, overwrite: bool) -> None:
    """Stop before any work is done in vain.

    Raises:
        OutputExistsError: the output exists and `overwrite` is false.
    """
    if path.exists() and not overwrite:
        raise OutputExistsError(f"{path} exists; use -f to overwrite it")

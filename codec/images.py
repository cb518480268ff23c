"""Pillow images <-> what the codec works on: RGB samples, alpha and metadata."""

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms, ImageOps

from aez.errors import PictureError

Plane = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class AezWarning(UserWarning):
    """Something about a picture was converted, left out or generated."""


@dataclass(frozen=True)
class Picture:
    """RGB samples uint8 [H, W, 3], alpha uint8 [H, W] or none, and metadata as Pillow hands it over."""

    rgb: Plane
    alpha: Plane | None = None
    gray: bool = False
    icc: bytes = b""
    exif: bytes = b""
    xmp: bytes = b""


def from_pillow(image: Image.Image) -> Picture:
    """Take a Pillow image of any mode apart; conversions that lose something warn with `AezWarning`.

    Raises:
        PictureError: the image cannot be decoded.
    """
    try:
        if getattr(image, "n_frames", 1) > 1:
            _note("only the first of several frames is kept")
            image.seek(0)
        deep = _is_deep(image)
        image.load()
        upright = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise PictureError(f"cannot be read ({error})") from error
    if deep:
        _note("16-bit samples are reduced to 8 bits")
    info = upright.info
    flat = _to_8_bit(upright)
    xmp = info.get("xmp", b"")
    samples = np.asarray(flat)
    gray = flat.mode in ("L", "LA")
    alpha = samples[..., -1] if flat.mode in ("LA", "RGBA") else None
    colour = np.asarray(flat.convert("RGB")) if gray else samples[..., :3]
    return Picture(
        rgb=np.ascontiguousarray(colour if alpha is None else fill_transparent(colour, alpha)),
        alpha=alpha,
        gray=gray,
        icc=b"" if upright.mode == "CMYK" else info.get("icc_profile") or b"",
        exif=info.get("exif") or b"",
        xmp=xmp.encode() if isinstance(xmp, str) else xmp,
    )


def to_pillow(rgb: Plane, alpha: Plane | None, gray: bool) -> Image.Image:
    """A Pillow image of mode L, LA, RGB or RGBA from samples [H, W, 3] and alpha [H, W]."""
    image = Image.fromarray(rgb)
    if gray:
        image = image.convert("L")
    if alpha is not None:
        image.putalpha(Image.fromarray(alpha))
    return image


def pad(rgb: Plane, multiple: int) -> Plane:
    """Replicate the lower and right edges until both sides are multiples of `multiple`."""
    height, width = rgb.shape[:2]
    return np.pad(rgb, ((0, -height % multiple), (0, -width % multiple), (0, 0)), mode="edge")


def box_average(samples: npt.NDArray[Any]) -> Floats:
    """The 2x2 box average [ceil(H/2), ceil(W/2), ...] of samples [H, W, ...], edges replicated, not rounded."""
    rows, columns = samples.shape[0] % 2, samples.shape[1] % 2
    even = np.pad(samples, ((0, rows), (0, columns), *((0, 0),) * (samples.ndim - 2)), mode="edge").astype(np.float32)
    quarter: Floats = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) * np.float32(0.25)
    return quarter


def fill_transparent(colour: Plane, alpha: Plane) -> Plane:
    """Replace colours under alpha 0 by a smooth continuation of those around (push-pull, Grossman and Dally 1998)."""
    hidden = alpha == 0
    if not hidden.any() or hidden.all():
        return np.zeros_like(colour) if hidden.all() else colour
    filled = _push_pull(colour * (~hidden[..., None]).astype(np.float32), (~hidden).astype(np.float32))
    return np.where(hidden[..., None], filled, colour).round().astype(np.uint8)


def _push_pull(colour: Floats, weight: Floats) -> Floats:
    """Colours [H, W, 3], already multiplied by their weights [H, W], with zero weights filled from coarser levels."""
    mean = np.divide(colour, np.maximum(weight, 1e-6)[..., None], dtype=np.float32)
    if weight.min() > 0:
        return mean
    lower = _push_pull(box_average(colour), box_average(weight))
    size = weight.shape[1], weight.shape[0]
    planes = [Image.fromarray(np.ascontiguousarray(plane)) for plane in np.moveaxis(lower, -1, 0)]
    wide = np.stack([np.asarray(plane.resize(size, Image.Resampling.BILINEAR)) for plane in planes], -1)
    return np.where(weight[..., None] > 0, mean, wide)


def _to_8_bit(image: Image.Image) -> Image.Image:
    """Convert to one of the modes L, LA, RGB, RGBA."""
    if image.mode in ("L", "LA", "RGB", "RGBA") and "transparency" not in image.info:
        return image
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return Image.fromarray(_reduce(np.asarray(image)))
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "CMYK":
        return _from_cmyk(image)
    if image.mode in ("La", "RGBa"):
        return image.convert(image.mode.upper())
    if image.mode == "L":
        return image.convert("LA")
    if image.mode in ("PA", "RGBX") or "transparency" in image.info:
        return image.convert("RGB" if image.mode == "RGBX" else "RGBA")
    return image.convert("RGB")


def _reduce(samples: npt.NDArray[Any]) -> Plane:
    values = samples.astype(np.float64)
    if samples.dtype.kind == "f" and values.max(initial=0) <= 1:
        values = values * 255
    elif samples.dtype.itemsize == 2 or values.max(initial=0) > 255:
        values = values / 257
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _from_cmyk(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
        except ImageCms.PyCMSError:
            converted = None
        if converted is not None:
            _note("CMYK is converted to sRGB with its profile, which is not kept")
            return converted
    _note("CMYK is converted to RGB")
    return image.convert("RGB")


def _is_deep(image: Image.Image) -> bool:
    """Whether samples have more than 8 bits, in the mode or in the file from which Pillow reduces them."""
    tiles = getattr(image, "tile", [])
    return image.mode in ("I", "F") or image.mode.startswith("I;16") or any(";16" in str(t[-1]) for t in tiles)


def _note(text: str) -> None:
    warnings.warn(text, AezWarning, stacklevel=2)

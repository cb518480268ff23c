"""ICC profiles: samples are what their profile says, are made so, or lose it."""

import io

import numpy as np
from PIL import Image, ImageCms

from ...errors import warn
from ..notes import note_conversion
from .icc import built_profile
from .signalled import Colour

_HEADER_BYTES = 128
_OTHER_SPACES = {"CMYK": b"CMYK", "LAB": b"Lab "}


def checked_profile(profile: object) -> bytes:
    """An ICC profile as Pillow gives it, if it is one; None is one that Pillow could not put together."""
    if profile is not None and not profile:
        return b""
    if not isinstance(profile, bytes) or not _space(profile):
        warn("the malformed ICC profile is left out")
        return b""
    return profile


def declared_profile(colour: Colour, *, gray: bool) -> bytes:
    """A profile for what a file says about its colours otherwise; none for sRGB and for what cannot be a profile."""
    if colour.hdr:
        warn(f"HDR samples ({colour.hdr}) are taken for sRGB, which looks dull")
    if colour.hdr or (colour.exponent is None and (gray or colour.has_srgb_primaries)):
        return b""
    try:
        return built_profile(colour, gray=gray)
    except ValueError:
        warn("impossible chromaticities or gamma are left out")
        return b""


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """An image of mode CMYK or LAB as one of mode RGB, by its profile or, without a useful one, by Pillow's rule."""
    if _space(profile) == _OTHER_SPACES[image.mode]:
        converted = _converted(image, profile)
        if converted:
            note_conversion(f"{image.mode} is converted to sRGB with its profile, which is not kept")
            return converted
    note_conversion(f"{image.mode} is converted to RGB")
    return image.convert("RGB")


def fitted(image: Image.Image, profile: bytes) -> tuple[Image.Image, bytes]:
    """An image of mode L, LA, RGB or RGBA and a profile of its space, or none."""
    gray, space = image.mode in ("L", "LA"), _space(profile)
    if not profile or space == (b"GRAY" if gray else b"RGB "):
        return image, profile
    if gray and space == b"RGB ":
        return gray_in_srgb(image, profile), b""
    if space == b"GRAY" and has_no_colour(image):
        return image.convert("L" if image.mode == "RGB" else "LA"), profile
    warn(f"an ICC profile for {space.decode('latin-1').strip()}, which the samples are not, is left out")
    return image, b""


def gray_in_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """An image of mode L or LA with the tones of sRGB in place of those of its profile, which is for gray or RGB."""
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    tones = _converted(ramp if _space(profile) == b"GRAY" else ramp.convert("RGB"), profile)
    if not tones:
        warn("an ICC profile that cannot be used is left out")
        return image
    note_conversion("gray samples are converted to sRGB with their profile, which is not kept")
    gray = image.getchannel(0).point(list(tones.convert("L").tobytes()))
    return Image.merge("LA", (gray, image.getchannel("A"))) if image.mode == "LA" else gray


def _space(profile: bytes) -> bytes:
    """What the samples of a profile are, such as `RGB `; nothing if it is malformed."""
    complete = _HEADER_BYTES < int.from_bytes(profile[:4]) <= len(profile)
    return profile[16:20] if complete and profile[36:40] == b"acsp" else b""


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    """An image of mode RGB in sRGB, if the profile can be used."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


def has_no_colour(image: Image.Image) -> bool:
    """Whether an image of mode RGB or RGBA shows nothing but grays."""
    samples = np.asarray(image)
    return bool((samples[..., :1] == samples[..., 1:3]).all())

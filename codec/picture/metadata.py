"""ICC profile, EXIF and XMP, out of Pillow images and into picture files."""

import warnings
from typing import Any

from PIL import Image, PngImagePlugin

from ..errors import AezWarning
from ..format.contents import ICC_MAX, METADATA_MAX, Metadata

EXIF_PREFIX = b"Exif\0\0"
_JPEG_SEGMENT_MAX = 65_000
_EXIF_IFDS = (0x8769, 0x8825)
# What TIFF files tell about the picture and not about their own layout: description, maker, model, ...
_DESCRIPTIVE_TAGS = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x8298)


def read_metadata(image: Image.Image) -> Metadata:
    """The metadata of a Pillow image; what is beyond the format's limits is left out with an `AezWarning`."""
    info = image.info
    xmp = info.get("xmp") or b""
    exif = info.get("exif") or b""
    return Metadata(
        icc=_limited("ICC profile", b"" if image.mode == "CMYK" else info.get("icc_profile") or b"", ICC_MAX),
        exif=_limited("EXIF", exif.removeprefix(EXIF_PREFIX), METADATA_MAX),
        xmp=_limited("XMP", xmp.encode() if isinstance(xmp, str) else xmp, METADATA_MAX),
    )


def attach_metadata(image: Image.Image, metadata: Metadata) -> None:
    """Put metadata into an image's `info`, where Pillow's own plugins put it."""
    if metadata.icc:
        image.info["icc_profile"] = metadata.icc
    if metadata.exif:
        image.info["exif"] = EXIF_PREFIX + metadata.exif
    if metadata.xmp:
        image.info["xmp"] = metadata.xmp


def save_options(image: Image.Image, format: str) -> dict[str, Any]:
    """Options of `Image.save` that keep the image's metadata; what JPEG cannot hold is left out with a warning."""
    options: dict[str, Any] = {}
    for name in ("icc_profile", "exif", "xmp"):
        value = image.info.get(name)
        if value and format == "jpeg" and name != "icc_profile" and len(value) > _JPEG_SEGMENT_MAX:
            warnings.warn(f"{name.upper()} is too large for JPEG and left out", AezWarning, stacklevel=3)
        elif value:
            options[name] = value
    if format == "png" and "xmp" in options:
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", options["xmp"].decode("utf-8", "replace"))
    return options


def exif_of_tags(image: Image.Image) -> bytes:
    """EXIF of formats that hold it as tags of their own, such as TIFF."""
    tags = image.getexif()
    kept = Image.Exif()
    for tag in _DESCRIPTIVE_TAGS:
        if tag in tags:
            kept[tag] = tags[tag]
    for tag in _EXIF_IFDS:
        values = tags.get_ifd(tag)
        if values:
            kept[tag] = values
    return kept.tobytes() if len(kept) else b""


def _limited(name: str, value: bytes, limit: int) -> bytes:
    if len(value) <= limit:
        return value
    warnings.warn(f"{name} of {len(value)} bytes is left out; at most {limit} are kept", AezWarning, stacklevel=4)
    return b""
